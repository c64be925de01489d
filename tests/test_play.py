"""`fastgd play` without a browser: who is answered, what settings are refused, and that its numbers are those of the library."""

import base64
import contextlib
import io
import json
import signal
import socket
import tracemalloc

import numpy as np
import pytest
from page_client import Client, Command, Tab

import fastgd
from fastgd.cli import main
from fastgd.page.guard import HOST
from fastgd.page.pictures import Scene
from fastgd.page.server import Page
from fastgd.play.site import PlaySite


@pytest.fixture(scope="module")
def command():
    with Command("play", "--no-browser") as running:
        yield running


@pytest.fixture(scope="module")
def client(command):
    return Client(command.address)


def test_the_address_is_of_this_machine_and_has_a_token(command, client):
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


def test_points_that_are_far_apart_are_drawn(client):
    """As far as numbers go; beyond the last of them there is nothing to be drawn."""
    far = 1.7e308
    tab = Tab(client, data="points", points=[[far, 1, 0], [-far, 0, 1]], hidden=[])
    (low, high), _ = tab.scene["bounds"]
    assert -far < low < 0 < high < far
    assert np.isfinite(np.frombuffer(base64.b64decode(tab.frame()["surface"]["values"]), "<f4")).all()


@pytest.mark.filterwarnings("error")
def test_outputs_and_weights_are_drawn_as_far_as_numbers_go():
    net = fastgd.MLP(1, 1, activation="identity")
    scene = Scene.of(net, np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]))
    largest = np.finfo(float).max
    told = scene.network(params := np.array([largest, 0.0])), scene.table(params), scene.surface(params, 0, 0, 0)
    json.dumps(told, allow_nan=False)
    values = np.frombuffer(base64.b64decode(told[2]["values"]), "<f4")
    assert values.max() == -values.min() == np.finfo("f4").max


def test_surfaces_of_many_inputs_take_little_memory():
    """The grid of this one has 650 MB in all."""
    net = fastgd.MLP(20_000, 1)
    scene = Scene.of(net, np.zeros((2, 20_000)), np.zeros((2, 1)))
    params = net.init(0)
    scene.surface(params, 0, 1, 0)  # which compiles
    tracemalloc.start()
    try:
        values = np.frombuffer(base64.b64decode(scene.surface(params, 0, 1, 0)["values"]), "<f4").reshape(64, 64)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()
    low, high = scene.bounds[0]
    ends = low + (high - low) * np.array([0.5, 63.5]) / 64
    corners = np.zeros((4, 20_000))
    corners[:, 0], corners[:, 1] = ends[[0, 1, 0, 1]], ends[[1, 1, 0, 0]]
    np.testing.assert_allclose(values[[0, 0, -1, -1], [0, -1, 0, -1]], net.predict(params, corners)[:, 0], rtol=1e-6)


def test_xor_is_learned_to_the_bits_of_fastgd_train(client):
    """In chunks, by a page, as in one call of the library with the seed and the epochs."""
    tab = Tab(client, epochs=300_000)
    first = tab.frame()
    assert first["status"] == "paused"
    assert first["racers"][0]["epoch"] == 0
    tab.do("run")
    last = tab.until(lambda frame: frame["status"] == "done")
    run = xor(300_000)
    assert last["racers"][0]["epoch"] == run.epochs
    assert last["racers"][0]["cost"] == run.cost < 1e-4
    assert last["racers"][0]["kernel"] == run.kernel
    assert last["right"] == 1
    assert first["surface"] != last["surface"]
    outputs = np.array(last["outputs"])
    np.testing.assert_allclose(outputs, run.predict(fastgd.data.gate("xor")[0]), rtol=1e-4)


def xor(epochs):
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    return fastgd.train(net, X, Y, epochs, 0.5, params=net.init(0, "uniform"), rng=0, kernel="unrolled")


def test_step_pause_back_and_reset(client):
    tab = Tab(client, epochs=10**12)
    for epoch in (1, 2, 3):
        tab.do("step")
        racer = tab.at_rest()["racers"][0]
        assert (racer["epoch"], racer["cost"]) == (epoch, xor(epoch).cost)
    tab.do("run")
    tab.until(lambda frame: frame["racers"][0]["epoch"] > 10_000)
    tab.do("pause")
    rest = tab.at_rest()
    far = rest["racers"][0]["epoch"]
    assert tab.at_rest()["racers"][0]["epoch"] == far  # it stands still
    for epoch in (1234, 5_000, far, 0, 77):
        tab.do("back", epoch)
        racer = tab.at_rest()["racers"][0]
        assert (racer["epoch"], racer["furthest"]) == (epoch, far)
        if epoch < far:
            assert racer["cost"] == xor(epoch).cost
    tab.do("back", far + 10**9)  # no further than it has come
    assert tab.at_rest()["racers"][0]["epoch"] == far
    tab.do("back", 77)
    tab.do("step")
    racer = tab.at_rest()["racers"][0]
    assert (racer["epoch"], racer["furthest"], racer["cost"]) == (78, 78, xor(78).cost)
    tab.do("reset")
    assert tab.at_rest()["racers"][0]["furthest"] == 0


def test_a_pace_is_kept_to(client):
    """Ten epochs a second are not a thousand in the time of a few frames."""
    tab = Tab(client)
    tab.do("pace", 10)
    tab.do("run")
    frame = tab.until(lambda frame: frame["racers"][0]["epoch"] >= 2)
    assert frame["racers"][0]["epoch"] < 1000
    tab.do("pace", None)
    tab.until(lambda frame: frame["racers"][0]["epoch"] > 100_000)


def test_the_race_is_run_side_by_side(client):
    tab = Tab(client, data="nand", hidden=[], methods=["backprop", "layerwise", "finite_difference"], epochs=20_000)
    tab.do("run")
    frame = tab.until(lambda frame: frame["status"] == "done")
    X, Y = fastgd.data.gate("nand")
    net = fastgd.MLP(2, 1)
    for which, (racer, method) in enumerate(zip(frame["racers"], ("backprop", "layerwise", "finite_difference"), strict=True)):
        run = fastgd.train(net, X, Y, 20_000, 0.5, params=net.init(0, "uniform"), rng=0, method=method, eps=0.1, kernel=racer["kernel"])
        assert (racer["method"], racer["epoch"], racer["cost"]) == (method, 20_000, run.cost)
        assert racer["seconds"] > 0
        shown = tab.frame(run=which)["network"]
        np.testing.assert_allclose(shown[0]["W"], net.unpack(run.params)[0][0], rtol=1e-4)


def test_two_tabs_do_not_disturb_each_other(client):
    one, other = Tab(client, epochs=50_000), Tab(client, data="and", epochs=50_000)
    one.do("run")
    other.do("step")
    assert other.at_rest()["racers"][0]["epoch"] == 1
    other.client.post(f"sessions/{other.name}/close", {})
    assert client.call("GET", f"sessions/{other.name}/frame")[0] == 410
    assert one.until(lambda frame: frame["status"] == "done")["racers"][0]["cost"] == xor(50_000).cost


def test_other_settings_begin_anew(client):
    tab = Tab(client, epochs=50_000)
    tab.do("run")
    tab.until(lambda frame: frame["status"] == "done")
    assert tab.settings(seed="x") == {"errors": {"seed": "seed must be a whole number of at least 0; got 'x'"}}
    assert tab.at_rest()["scene"] == 0  # as before
    assert tab.settings(epochs=50_000, seed=1) == {}
    frame = tab.until(lambda frame: frame["scene"] == 1)
    assert frame["racers"][0]["furthest"] == 0


def test_what_diverges_says_so_and_can_go_back(client):
    tab = Tab(client, hidden=[[2, "relu"]], output="identity", learning_rate=50.0, epochs=1000)
    tab.do("run")
    racer = tab.until(lambda frame: frame["status"] == "done")["racers"][0]
    assert "stopped being finite in epoch" in racer["error"]
    tab.do("back", 0)
    racer = tab.at_rest()["racers"][0]
    assert (racer["epoch"], racer["error"]) == (0, "")


def test_warnings_of_the_library_are_told(client):
    tab = Tab(client, init="zeros", epochs=100)
    tab.do("run")
    assert "the same for all 2 units of hidden layer 1" in tab.until(lambda frame: frame["status"] == "done")["warnings"][0]


TABLE = "width,height,kind\n" + "\n".join(f"{w},{h},{'tall' if h > w else 'wide'}" for w in range(1, 6) for h in range(1, 6))


def test_a_table_is_learned_as_the_command_learns_it(client, tmp_path, monkeypatch):
    tab = Tab(client, data="csv", csv=TABLE, file="boxes.csv", hidden=[[3, "tanh"]], epochs=200, optimizer="adam")
    assert tab.scene["columns"] == ["width", "height", "kind"]
    assert (tab.scene["target"], tab.scene["outputs"], tab.scene["rows"]) == ("kind", ["wide"], 25)
    tab.do("run")
    frame = tab.until(lambda frame: frame["status"] == "done")
    (tmp_path / "boxes.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([*tab.command.split()[1:], "--json"]) == 0
    facts = json.loads(out.getvalue())
    assert facts["cost"] == frame["racers"][0]["cost"]
    assert facts["score"]["accuracy"] == frame["right"]


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "nor", "hidden": [], "epochs": 50},
        {"epochs": 50, "methods": ["finite_difference"], "eps": 0.01},
        {"data": "spiral", "rows": 20, "hidden": [[3, "tanh"]], "epochs": 50, "optimizer": "adam", "optimizer_numbers": {"beta1": 0.8}},
        {"data": "points", "points": [[0, 0.25, 0], [1, 1, 1]], "hidden": [], "epochs": 50, "l2": 0.01},
        {"epochs": 50, "schedule": "cosine", "schedule_numbers": {"steps": 40}, "batch_size": 2},
    ],
)
def test_what_is_shared_trains_the_same(client, settings):
    tab = Tab(client, **settings)
    tab.do("run")
    cost = tab.until(lambda frame: frame["status"] == "done")["racers"][0]["cost"]
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(tab.python, names)
    assert names["run"].cost == cost
    if tab.command is not None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main([*tab.command.split()[1:], "--json"]) == 0
        assert json.loads(out.getvalue())["cost"] == cost
    else:
        assert settings["data"] in ("spiral", "points")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_with_the_command(number):
    with Command("play", "--no-browser") as running:
        client = Client(running.address)
        Tab(client).do("run")
        running.process.send_signal(number)
        assert running.process.wait(600) == 0
        assert running.process.stderr.read() == ""
        with pytest.raises(ConnectionRefusedError):
            client.get("choices")
