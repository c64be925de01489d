"""A training that is watched on a page, to the bits of one that is not: `fastgd train --watch` and `progress="page"`."""

import http.client
import json
import os
import signal
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit

import numpy as np
import pytest
from interruptions import wait_until
from page_client import Client, Command

import fastgd
from fastgd.cli import main
from fastgd.page import server, watch
from fastgd.page.frames import Frames
from fastgd.page.pictures import Scene

X, Y = fastgd.data.gate("xor")
NET = fastgd.MLP(2, 2, 1)
PATH = "sessions/watched/"
LONG = "--gate", "xor", "--epochs", "1e15", "--watch", "--no-browser"


class Watcher:
    """Somebody who looks at a training's page."""

    def __init__(self, address):
        self.client = Client(address)
        self.frames = []

    def look(self):
        """The next frame that is new."""
        after = self.frames[-1]["version"] + 1 if self.frames else 0
        while True:
            frame = self.client.get(f"{PATH}frame?after={after}")
            if "racers" in frame:
                self.frames.append(frame)
                return frame

    def until(self, holds):
        while not holds(frame := self.look()):
            pass
        return frame

    def do(self, action):
        self.client.post(PATH + "do", {"action": action})


@pytest.fixture
def watched(monkeypatch):
    """Somebody looks at every training of this process until its end, in a thread; a list of them."""
    watchers, threads = [], []

    def look(address):
        watcher = Watcher(address)
        watchers.append(watcher)
        threads.append(threading.Thread(target=watcher.until, args=(lambda frame: frame["status"] == "done",)))
        threads[-1].start()
        return True

    monkeypatch.setattr(watch, "open_browser", look)
    monkeypatch.setattr(watch, "OPENING_SECONDS", 600.0)
    yield watchers
    for thread in threads:
        thread.join()


def trained(**options):
    return fastgd.train(NET, X, Y, 2_000_000, 0.5, params=NET.init(0, "uniform"), rng=0, kernel="unrolled", **options)


def test_who_is_watched_comes_to_the_same_bits(watched, capfd):
    run = trained(progress="page")
    assert run == trained()
    last = watched[0].frames[-1]
    (racer,) = last["racers"]
    assert (last["status"], racer["epoch"], racer["method"]) == ("done", 2_000_000, "backprop")
    np.testing.assert_allclose(last["network"][0]["W"], NET.unpack(run.params)[0][0], rtol=1e-4)
    assert capfd.readouterr().err.startswith(f"watch at http://127.0.0.1:{watched[0].client.port}/")
    with pytest.raises(ConnectionRefusedError):
        watched[0].client.get("choices")


def test_nobody_is_left_behind(watched, monkeypatch):
    """A connection that a browser keeps open ends with the training, and so do all threads."""
    before = threading.active_count()
    kept = []

    def keep(address):
        split = urlsplit(address)
        kept.append(http.client.HTTPConnection(split.hostname, split.port, timeout=600))
        kept[0].request("GET", f"{split.path}choices")
        assert json.loads(kept[0].getresponse().read())["mode"] == "watch"
        return False

    monkeypatch.setattr(watch, "open_browser", keep)
    trained(progress="page")
    assert kept[0].sock.recv(1) == b""
    kept[0].close()
    wait_until(lambda: threading.active_count() == before)


def test_the_page_of_a_command_pauses_and_stops_it():
    with Command("train", *LONG, "--json", stream="stderr") as running:
        watcher = Watcher(running.address)
        assert watcher.client.get("choices") == {"mode": "watch", "session": "watched"}
        scene = watcher.client.get(PATH + "scene")["scene"]
        assert (scene["title"], scene["inputs"], scene["outputs"]) == ("gate xor", ["x1", "x2"], ["xor"])
        first = watcher.look()
        watcher.until(lambda frame: frame["racers"][0]["epoch"] > first["racers"][0]["epoch"])
        watcher.do("pause")
        epoch = watcher.until(lambda frame: frame["status"] == "paused")["racers"][0]["epoch"]
        assert [watcher.client.get(f"{PATH}frame")["racers"][0]["epoch"] for _ in range(5)] == [epoch] * 5
        watcher.do("run")
        watcher.until(lambda frame: frame["racers"][0]["epoch"] > epoch)
        for action in ("step", None):
            status, said = watcher.client.call(
                "POST", PATH + "do", json.dumps({"action": action}).encode(), Content_Type="application/json"
            )
            assert (status, said["error"]) == (422, f"unknown action {action!r}; known: run, pause, stop")
        watcher.do("pause")
        watcher.do("stop")
        assert watcher.until(lambda frame: frame["status"] == "done")
        assert running.process.wait(600) == 130
        assert json.loads(running.process.stdout.read())["stopped_by"] == "interrupt"


def test_a_table_has_its_own_names(tmp_path):
    rows = "\n".join(f"{w},{h},{'tall' if h > w else 'wide'}" for w in range(5) for h in range(5))
    (tmp_path / "boxes.csv").write_text(f"width,height,kind\n{rows}\n")
    data = (str(tmp_path / "boxes.csv"), "--target", "kind", "--layers", "2-3-2")
    with Command("train", *data, *LONG[2:], stream="stderr") as running:
        scene = Client(running.address).get(PATH + "scene")["scene"]
        assert (scene["inputs"], scene["outputs"], scene["widths"]) == (["width", "height"], ["tall", "wide"], [2, 3, 2])


def test_who_looks_at_no_frame_does_not_hold_up_the_end(monkeypatch):
    """A page that is open, and has no frame of the end, as one whose frames all fail."""
    addresses = []
    monkeypatch.setattr(watch, "open_browser", lambda address: addresses.append(address) or True)
    monkeypatch.setattr(watch, "OPENING_SECONDS", 0.1)
    monkeypatch.setattr(watch, "LOOKING_SECONDS", 600.0)

    def look(progress):
        Client(addresses[0]).get("choices")

    training = threading.Thread(target=trained, kwargs={"progress": "page", "callback": look}, daemon=True)
    training.start()
    training.join(60.0)
    assert not training.is_alive()


@pytest.mark.usefixtures("default_handler")
@pytest.mark.parametrize("ended_by", ["epochs", "interrupt"])
def test_ctrl_c_ends_the_wait_for_who_is_to_see_the_end(monkeypatch, ended_by):
    """The first one after training, also where another one has ended that: nothing is lost."""
    pages = []

    class Kept(watch.Watch):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            pages.append(self)

    def press():
        if ended_by == "interrupt":
            wait_until(lambda: pages and pages[0].version > 0)
            os.kill(os.getpid(), signal.SIGINT)
        wait_until(lambda: pages and pages[0]._status == "done")
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(watch, "Watch", Kept)
    monkeypatch.setattr(watch, "open_browser", lambda address: True)
    monkeypatch.setattr(watch, "OPENING_SECONDS", 300.0)
    pressing = threading.Thread(target=press)
    pressing.start()
    begun = time.monotonic()
    run = fastgd.train(NET, X, Y, 1000 if ended_by == "epochs" else 10**12, 0.5, rng=0, progress="page")
    assert time.monotonic() - begun < 300
    assert run.stopped_by == ended_by
    pressing.join()


class LargeSite:
    """Whose only answer is more than a connection holds."""

    said = b'"' + 50_000_000 * b"x" + b'"'

    def answer(self, request):
        return self.said

    def close(self):
        pass


@pytest.fixture
def begun():
    """A page, and its answer, of which the head alone has been read: the rest is being written."""
    page = server.Page(LargeSite())
    place = urlsplit(page.address)
    with closing(http.client.HTTPConnection(place.hostname, place.port)) as reader:
        reader.request("GET", place.path + "frame")
        with reader.getresponse() as answer:
            yield page, answer


def test_an_answer_is_written_before_the_page_ends(begun, monkeypatch):
    """The end of a training among them: the process may end with the page."""
    monkeypatch.setattr(server, "_LAST_SECONDS", 300)
    page, answer = begun
    ended = threading.Thread(target=page.close)
    ended.start()
    ended.join(0.5)
    assert ended.is_alive()
    assert answer.read() == LargeSite.said
    ended.join(300)
    assert not ended.is_alive()


def test_who_reads_no_answer_does_not_hold_up_the_end(begun, monkeypatch):
    monkeypatch.setattr(server, "_LAST_SECONDS", 0.01)
    page, answer = begun
    page.close()
    assert answer.read() == LargeSite.said  # this process goes on, so that it is written


def test_outputs_that_are_no_targets_are_not_told_right_from_wrong():
    net = fastgd.MLP(2, 2, 2, output="identity", loss="gaussian_nll")
    assert Scene.of(net, X, Y).table(net.init(0))["right"] is None


def test_who_ends_with_an_error_is_watched_no_more(watched):
    net = fastgd.MLP(2, 2, 1, activation="relu", output="identity")
    with pytest.raises(fastgd.DivergedError):
        fastgd.train(net, X, Y, 100_000, 50.0, rng=0, progress="page")


def test_what_is_no_page_is_refused(no_compiled_code, capsys):
    with pytest.raises(TypeError, match="progress must be True, False, 'page' or a function; got 'site'"):
        fastgd.train(NET, X, Y, 1, progress="site")
    with pytest.raises(TypeError, match="progress must be True, False or a function; got 'page'"):
        fastgd.train_many(NET, X, Y, 1, members=2, progress="page")
    assert main(["train", "--gate", "xor", "--no-browser"]) == 2
    assert capsys.readouterr().err == "fastgd: error: --no-browser is for --watch\n"


def test_frames_that_fail_are_few():
    """Who asks again at once for a frame that failed waits as for any other."""

    class Failing:
        rested = 0.0

        def wait(self, after, seconds):
            return after + 1

        def rest(self, seconds):
            self.rested += seconds

        def look_at(self, which):
            raise ZeroDivisionError

    frames = Frames(shown := Failing(), 0.01, time.thread_time)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            frames.next({})
    assert shown.rested > 0
