"""`progress="page"`: a training that is watched on a local page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastgd.mlp import MLP
from fastgd.page.pictures import Scene
from fastgd.samples import Samples
from fastgd.system.forgiving_stream import ForgivingStream
from fastgd.training.progress import Teller

if TYPE_CHECKING:
    from fastgd.page.watch import Watch


def page_of(net: MLP, samples: Samples, method: str) -> OnPage:
    """The page of a training whose inputs and outputs have no names of their own."""
    return OnPage(Scene.of(net, samples.X, samples.Y), method)


class OnPage(Teller):
    """Its costs, network and surface on a page, whose address is a line on stderr. It is served
    while the training goes on, inside a `with`; where it `opens`, in a browser, if there is one
    with windows.
    """

    def __init__(self, scene: Scene, method: str, *, opens: bool = True):
        self.scene, self.method, self.opens = scene, method, opens
        self.watch: Watch | None = None

    def __enter__(self) -> OnPage:
        from fastgd.page.watch import Watch

        self.watch = Watch(self.scene, self.method, opens=self.opens)
        print(f"watch at {self.watch.page.address}", file=ForgivingStream(sys.stderr), flush=True)
        return self

    def linger(self, hurries: Callable[[], bool]) -> None:
        """Until whoever looks has seen the end, or has had long enough to."""
        if self.watch is not None:
            self.watch.end(hurries)

    def __exit__(self, kind: type[BaseException] | None = None, *more: object) -> None:
        if self.watch is not None:
            self.watch.page.close()

    def __call__(self, progress: Any) -> None:
        if self.watch is not None:
            self.watch.tell(progress)

    def waits(self) -> bool:
        """Whether the page has asked to wait."""
        return self.watch is not None and self.watch.waits()

    def stops(self) -> bool:
        """Whether the page has asked to end it."""
        return self.watch is not None and self.watch.stops
