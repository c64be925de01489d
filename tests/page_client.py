"""What tests of the page share: `fastgd play` as a process of its own, and calls of its server."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import fastgd


class Command:
    """A command that serves a page; its address is the line that it prints."""

    def __init__(self, *arguments, stream="stdout"):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "fastgd", *arguments],
            cwd=Path(fastgd.__file__).parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = next(word for word in getattr(self.process, stream).readline().split() if word.startswith("http"))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()


class Client:
    """Calls of the server at an address, as a page makes them."""

    def __init__(self, address):
        split = urlsplit(address)
        self.host, self.port, self.path = split.hostname, split.port, split.path

    def call(self, verb, path, body=None, **headers):
        """The status and what is said; `path` is below the address unless it begins with a slash."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        try:
            connection.putrequest(verb, path if path.startswith("/") else self.path + path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            self.headers = answer.headers
            text = answer.read()
            return answer.status, json.loads(text) if answer.headers.get_content_type() == "application/json" else text
        finally:
            connection.close()

    def get(self, path):
        status, said = self.call("GET", path)
        assert status == 200, said
        return said

    def post(self, path, given):
        status, said = self.call("POST", path, json.dumps(given).encode(), Content_Type="application/json")
        assert status == 200, said
        return said


class Tab:
    """A session of `fastgd play`, as one tab has it."""

    def __init__(self, client, **settings):
        self.client = client
        said = client.post("sessions", settings)
        self.name, self.scene, self.python, self.command = said["session"], said["scene"], said["python"], said["command"]

    def do(self, action, value=None):
        self.client.post(f"sessions/{self.name}/do", {"action": action, "value": value})

    def settings(self, **settings):
        return self.client.post(f"sessions/{self.name}/settings", settings)

    def frame(self, after=0, **view):
        """The next frame that is new; what is looked at by `run`, `x`, `y` and `output`."""
        while True:
            query = "&".join(f"{name}={value}" for name, value in {"after": after, **view}.items())
            frame = self.client.get(f"sessions/{self.name}/frame?{query}")
            if "racers" in frame:
                return frame

    def until(self, holds):
        """The first frame in which something holds, which is looked for as long as it takes."""
        after = 0
        while True:
            frame = self.frame(after)
            assert frame["message"] == ""
            if holds(frame):
                return frame
            after = frame["version"] + 1

    def at_rest(self):
        """The frame in which it has done all that it was asked for."""
        return self.until(lambda frame: frame["status"] in ("paused", "done") and not frame["busy"])


@pytest.fixture(scope="module")
def play():
    """The command, which runs for all tests of a file."""
    with Command("play", "--no-browser") as running:
        yield running


@pytest.fixture(scope="module")
def client(play):
    return Client(play.address)
