"""Who is answered: whoever has the token, from this machine, from no other page."""

from __future__ import annotations

import secrets
from email.message import Message

HOST = "127.0.0.1"
# of every answer: nothing but the page's own files is loaded, and nobody frames or keeps it
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """What an address has that nobody else can know: 256 bits."""
    return secrets.token_urlsafe(32)


def why_refused(path: str, headers: Message, token: str, port: int) -> str | None:
    """Why a request is refused, None if it is not.

    A name of another host that leads here is refused, and so is a page of another origin, whatever
    it knows, but for a link that is followed to here, from which that page learns nothing; so is an
    address without the token, which is compared in constant time.
    """
    authority = f"{HOST}:{port}"
    if headers.get("Host") != authority:
        return f"this server is {authority} and no other host"
    if headers.get("Origin") not in (None, f"http://{authority}"):
        return "pages of other origins are not answered"
    is_link = headers.get("Sec-Fetch-Dest") == "document" and headers.get("Origin") is None
    if headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none") and not is_link:
        return "pages of other sites are not answered"
    given = path.partition("?")[0].removeprefix("/").partition("/")[0]
    if not secrets.compare_digest(given.encode(), token.encode()):
        return "the address lacks the token, or has another one; open the one that was printed"
    return None
