"""`fastgd play` without a browser: its pictures and its numbers are those of the library, whatever it is asked for on the way."""

import base64
import contextlib
import io
import json
import signal
import tracemalloc

import numpy as np
import pytest
from page_client import Client, Command, Tab

import fastgd
from fastgd.cli import main
from fastgd.page.pictures import Scene


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
