"""`fastgd play` without a browser: who is answered, and what is refused beside which field."""

import json
import socket

import pytest
from page_client import Client, Tab

from fastgd.page.guard import HOST
from fastgd.page.server import Page
from fastgd.play.site import PlaySite


def test_the_address_is_of_this_machine_and_has_a_token(play, client):
    assert client.host == "127.0.0.1"
    assert len(client.path) > 32
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own_address(), client.port), timeout=600)


def own_address():
    """Another one of this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address than its loopback's")
        found = probe.getsockname()[0]
    return found if found != HOST else pytest.skip("this machine has no other address than its loopback's")


def test_the_page_and_its_files_are_served(client):
    status, text = client.call("GET", "")
    assert status == 200
    assert client.headers.get_content_type() == "text/html"
    for name in ("style.css", "main.js", "icon.svg"):
        assert name in text.decode()
        assert client.call("GET", name)[0] == 200
    assert client.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert b"http" not in text.replace(b"http-equiv", b"")  # nothing is loaded from elsewhere


@pytest.mark.parametrize("path", ["../server.py", "..%2fserver.py", "static/main.js", "__init__.py", "sessions", "sessions/x/frame/y"])
def test_there_is_nothing_else(client, path):
    assert client.call("GET", path)[0] == 404


def test_without_the_token_nobody_is_answered(client):
    wrong = client.path[:-2] + ("A" if client.path[-2] != "A" else "B") + "/"
    for path in ("/", "/favicon.ico", wrong, wrong + "choices", client.path[:10] + "/choices", "/%E2%98%83/"):
        status, said = client.call("GET", path)
        assert status == 403
        assert "token" in said["error"]
    assert client.call("POST", wrong + "sessions", b"{}", Content_Type="application/json")[0] == 403


def test_other_origins_and_hosts_are_refused(client):
    own = f"http://{client.host}:{client.port}"
    assert client.call("GET", "choices", Origin=own)[0] == 200
    assert client.call("GET", "choices", Sec_Fetch_Site="same-origin")[0] == 200
    for headers in (
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": f"http://{client.host}:{client.port + 1}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"origin": "http://example.org"},
        {"sec_fetch_site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document", "Origin": "null"},  # a form
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Host": "example.org"},
        {"Host": f"localhost:{client.port}"},
    ):
        assert client.call("GET", "choices", **headers)[0] == 403
        assert client.call("POST", "sessions", b"{}", Content_Type="application/json", **headers)[0] == 403
    assert "Access-Control-Allow-Origin" not in client.headers


def test_a_link_of_another_page_leads_here(client):
    """As that of a notebook, which shows the address."""
    status, _ = client.call("GET", "", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
    assert status == 200


@pytest.mark.parametrize("verb", ["HEAD", "PUT", "OPTIONS", "<b>"])
def test_other_verbs_are_refused_as_safely(client, verb):
    assert client.call(verb, "choices")[0] == 501
    assert client.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert client.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_asks_nobody_for_the_name_of_this_machine(monkeypatch):
    """Where names are served slowly, or not at all, that would take seconds."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("getfqdn is called"))
    with Page(PlaySite()) as page:
        assert Client(page.address).get("choices")["mode"] == "play"


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b'{"rows": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(client, body):
    status, said = client.call("POST", "sessions", body, Content_Type="application/json")
    assert status == 400
    assert "JSON" in said["error"]


def test_forms_and_large_requests_are_refused(client):
    assert client.call("POST", "sessions", b"{}", Content_Type="text/plain")[0] == 415
    assert client.call("POST", "sessions", b"{}")[0] == 415
    status, said = client.call("POST", "sessions", None, Content_Type="application/json", Content_Length=str(10**8))
    assert status == 413
    assert "4,194,304 bytes" in said["error"]
    assert client.call("POST", "sessions", None, Content_Type="application/json", Content_Length="9" * 5000)[0] == 411


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"data": "nxor"}, "data", "unknown data 'nxor'; known: and, or"),
        ({"data": ["xor"]}, "data", "data must be a name"),
        ({"data": "spiral", "rows": 1}, "rows", "rows must be a whole number from 2 to 5000; got 1"),
        ({"data": "spiral", "noise": -1}, "noise", "noise must be a finite number of at least 0; got -1"),
        ({"data": "csv"}, "csv", "choose a CSV file"),
        ({"data": "csv", "csv": "a,b\n1,2\n3\n", "file": "t.csv"}, "csv", "t.csv, line 3: expected 2 cells"),
        ({"data": "csv", "csv": "a,b\n1,2\n", "target": "c"}, "target", "no column 'c'; it has: a, b"),
        ({"data": "points"}, "points", "points must be of both classes"),
        ({"data": "points", "points": [[0, 1, 2]]}, "points", "class of point 1 must be a whole number from 0 to 1; got 2"),
        ({"data": "points", "points": [[0, "y", 1]]}, "points", "y of point 1 must be a finite number; got 'y'"),
        ({"hidden": [[0, "tanh"]]}, "hidden", "units of hidden layer 1 must be a whole number from 1 to 256; got 0"),
        ({"hidden": [[2, "tan"]]}, "hidden", "unknown activation 'tan'"),
        ({"hidden": [2]}, "hidden", "hidden must be pairs"),
        ({"hidden": [[2, "tanh"]] * 9}, "hidden", "hidden must be a list of at most 8; got 9"),
        ({"output": "softmax"}, "output", "output 'softmax', which is always 1 over a single unit"),
        ({"output": "tan"}, "output", "unknown output 'tan'"),
        ({"loss": "cross_entropy"}, "loss", "needs output 'softmax'; got output 'sigmoid'"),
        ({"loss": "entropy"}, "loss", "unknown loss 'entropy'"),
        ({"init": "best"}, "init", "unknown init 'best'"),
        ({"seed": -1}, "seed", "seed must be a whole number of at least 0; got -1"),
        ({"seed": 2**63}, "seed", "seed must be from 0 to 2**63 - 1"),
        ({"learning_rate": "fast"}, "learning_rate", "learning_rate must be a finite number; got 'fast'"),
        ({"schedule": "cosine"}, "schedule", "Cosine needs steps"),
        ({"schedule": "cosine", "schedule_numbers": {"steps": 0}}, "schedule", "steps of Cosine must be a whole number"),
        (
            {"optimizer": "adam", "optimizer_numbers": {"beta1": 1}},
            "optimizer",
            "beta1 of Adam must be a finite number from 0 to below 1; got 1",
        ),
        ({"optimizer": "adam", "optimizer_numbers": {"momentum": 1}}, "optimizer", "Adam has no 'momentum'; it has: beta1"),
        ({"optimizer": "rprop", "batch_size": 2}, "optimizer", "optimizer Rprop compares gradients of all rows"),
        ({"batch_size": 5}, "batch_size", "batch_size must be a whole number from 1 to 4; got 5"),
        ({"l2": -1}, "l2", "l2 must be a finite number of at least 0; got -1"),
        ({"methods": []}, "methods", "methods must be at least one of backprop, layerwise"),
        ({"methods": ["backprop", "guess"]}, "methods", "unknown method 'guess'"),
        ({"methods": ["layerwise"], "loss": "binary_cross_entropy"}, "methods", "method 'layerwise' needs loss 'squared_error'"),
        ({"eps": 0}, "eps", "eps must be a positive, finite number; got 0"),
        ({"epochs": 0}, "epochs", "epochs must be a whole number from 1"),
        ({"colour": 1}, "form", "unknown setting 'colour'"),
        ([], "form", "settings must be values by names"),
    ],
)
def test_settings_are_refused_beside_their_fields_in_the_librarys_words(client, settings, field, words):
    said = client.post("sessions", settings)
    assert list(said) == ["errors"]
    assert list(said["errors"]) == [field]
    assert words in said["errors"][field]


def test_actions_are_refused_by_name(client):
    tab = Tab(client)
    for given, words in (
        ({"action": "jump"}, "unknown action 'jump'; known: run, pause"),
        ({"action": "back", "value": -1}, "epoch must be a whole number"),
        ({"action": "pace", "value": "slow"}, "pace must be a positive, finite number; got 'slow'"),
        ({"action": ["run"]}, "unknown action ['run']"),
        (None, "unknown action None"),
    ):
        status, said = client.call("POST", f"sessions/{tab.name}/do", json.dumps(given).encode(), Content_Type="application/json")
        assert status == 422
        assert words in said["error"]
    assert client.call("GET", f"sessions/{tab.name}/frame?x=a")[0] == 422
    assert client.call("GET", f"sessions/{tab.name}/frame?x=-1")[0] == 422
    assert client.call("GET", "sessions/nobody/frame")[0] == 410
