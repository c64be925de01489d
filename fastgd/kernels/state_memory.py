"""The memory of a kernel's own in which a state is trained."""

from collections.abc import Callable

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.state import State, in_one_block


class StateMemory:
    """Room for one state at a time. Its arrays stay where they are, so that structs may point to
    them for good, and lie in one block, which is copied at once.

    Parameters have `size` columns in here, and `n_params` outside.
    """

    copies = 2  # of a state, that it takes
    outside: State  # the state that is held, as it is outside: views

    def __init__(self, size: int, n_params: int):
        self._size, self._n_params = size, n_params
        self._state: State | None = None
        self._block = np.zeros(0, np.uint8)
        self._begun: Array | None = None  # the block before the first update, of other parameters

    def begin(self, params: Array, fresh: Callable[[Array], State]) -> State:
        """The state before the first update for (n_params,) parameters, as `fresh` makes one for
        any, which is asked once.
        """
        if self._begun is None:
            state = self.hold(fresh(params))
            self._begun = self.kept()
        else:
            assert self._state is not None
            state = self._state
            self.put_back(self._begun)
        self.outside.params[:] = params
        if len(state.best):
            self.outside.best[:] = params
        return state

    def hold(self, state: State) -> State:
        """The state in this memory, in the place of the one that was there."""
        if self._state is state:
            return state
        if state.params.size != self._size:
            state = state.widened(self._size)
        if self._state is None or self._state.layout != state.layout:
            self._state, self._block = in_one_block(state)
            self.outside = self._state.narrowed(self._n_params)
            self._begun = None
        else:
            self._state[:] = state
        return self._state

    def kept(self) -> Array:
        """What is in the block, to be put back."""
        return self._block.copy()

    def put_back(self, block: Array) -> None:
        """Have what was in the block."""
        self._block[...] = block
