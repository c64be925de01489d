"""Opening a page where there is a browser with windows."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser

_IN_TERMINALS = ("www-browser", "links", "elinks", "lynx", "w3m")


def open_browser(address: str) -> None:
    """Open it, if there is a browser with windows; others would take the terminal. Nothing is
    waited for.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("BROWSER") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if getattr(browser, "name", "") not in _IN_TERMINALS:
        threading.Thread(target=browser.open, args=(address,), daemon=True).start()
