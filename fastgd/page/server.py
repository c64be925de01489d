"""The server of a page: the standard library's, on this machine alone, at an address with a token.

A page asks for news by long polling: an answer waits until there is something new. A stream of
events would take one of the six connections that a browser has to a host for as long as a tab is
open, and would be filled whether or not somebody looks; a page that polls asks for as much as it
draws, and one that is hidden for nearly nothing.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from fastgd.page.files import read_file
from fastgd.page.guard import HEADERS, HOST, new_token, why_refused
from fastgd.system.forgiving_stream import ForgivingStream

MOST_BYTES = 4 * 2**20  # of a request
_LOOK_SECONDS = 0.02  # between two looks whether to end
_LAST_SECONDS = 2.0  # at most, for which the end waits for answers that are being written


class RefusedError(Exception):
    """A request that is not done: a status of HTTP, and what is said of it as JSON."""

    def __init__(self, status: int, error: str, **more: Any):
        super().__init__(error)
        self.status, self.said = status, {"error": error, **more}


class Request(NamedTuple):
    """What a page asks for, below its address."""

    verb: str  # GET or POST
    path: list[str]
    query: dict[str, str]
    given: Any  # of a POST, from JSON


class Site(Protocol):
    """What is behind a page."""

    def answer(self, request: Request) -> Any:
        """What JSON can say, or JSON as bytes, or a RefusedError."""

    def close(self) -> None:
        """End all that it does."""


class Page:
    """A server for a site, in threads of its own, from the start until `close`, or inside `with`.

    `address` has the port, which the system chose, and the token.
    """

    def __init__(self, site: Site):
        self.site, self.token = site, new_token()
        self._server = _Server(self)
        self.port: int = self._server.server_address[1]
        self.address = f"http://{HOST}:{self.port}/{self.token}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(_LOOK_SECONDS,),
            name="fastgd-page",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more, and end what is behind it. What is being answered is written
        first, since the process may end with this, unless nobody reads it.
        """
        self._server.shutdown()
        self._server.server_close()
        self.site.close()
        self._server.hang_up()
        self._server.finish()
        self._thread.join()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _Server(ThreadingMixIn, TCPServer):
    """As http.server's, but asks nobody for the name of this machine, which may take seconds, and
    shares its port with nobody.
    """

    daemon_threads = True
    block_on_close = False  # a page that waits for news is left alone

    def __init__(self, page: Page):
        super().__init__((HOST, 0), _Handler)
        self.page = page
        self._open: set[socket.socket] = set()
        self._answers = 0  # that are being made or written
        self._answered = threading.Condition()

    def get_request(self) -> tuple[socket.socket, Any]:
        request, address = super().get_request()
        self._open.add(request)
        return request, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Hear no more requests; what is being answered is answered."""
        for request in tuple(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RD)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a request is answered."""
        with self._answered:
            self._answers += 1
        try:
            yield
        finally:
            with self._answered:
                self._answers -= 1
                self._answered.notify_all()

    def finish(self) -> None:
        """Wait until all requests are answered, but not for ever."""
        with self._answered:
            self._answered.wait_for(lambda: self._answers == 0, _LAST_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that has gone away is nothing to speak of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds for which a connection may be silent
    server: _Server

    def version_string(self) -> str:
        return "fastgd"

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        with self.server.answering():
            self._answer("GET")

    def do_POST(self) -> None:
        with self.server.answering():
            self._answer("POST")

    def _answer(self, verb: str) -> None:
        page = self.server.page
        try:
            why = why_refused(self.path, self.headers, page.token, page.port)
            if why is not None:
                raise RefusedError(403, why)
            given = self._given() if verb == "POST" else None
            split = urlsplit(self.path)
            path = split.path.split("/")[2:]
            file = read_file("/".join(path)) if verb == "GET" else None
            if file is not None:
                self._send(200, *file)
                return
            request = Request(verb, path, dict(parse_qsl(split.query)), given)
            self._send_json(200, page.site.answer(request))
        except RefusedError as refused:
            self.close_connection = True  # what is left of the request is not read
            self._send_json(refused.status, refused.said)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            print(f"fastgd: error: {text}", file=ForgivingStream(sys.stderr))
            self._send_json(500, {"error": text})

    def _given(self) -> Any:
        """The JSON of a request."""
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(415, "expected JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 18:
            raise RefusedError(411, "expected a Content-Length")
        if int(length) > MOST_BYTES:
            raise RefusedError(413, f"expected at most {MOST_BYTES:,} bytes; got {int(length):,}")
        try:
            return json.loads(self.rfile.read(int(length)), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, f"expected JSON: {error}") from None

    def _send_json(self, status: int, said: Any) -> None:
        text = said if isinstance(said, bytes) else json.dumps(said, allow_nan=False).encode()
        self._send(status, text, "application/json")

    def end_headers(self) -> None:
        """HEADERS are of every answer: also of the standard library's, to what it can't read."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
