"""Opening a page where there is a browser with windows."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser

_IN_TERMINALS = ("www-browser", "links", "elinks", "lynx", "w3m")


def open_browser(address: str) -> bool:
    """Open it, if there is a browser with windows, which is told; others would take the terminal.
    Nothing is waited for.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("BROWSER") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if getattr(browser, "name", "") in _IN_TERMINALS:
        return False
    threading.Thread(target=browser.open, args=(address,), daemon=True).start()
    return True
