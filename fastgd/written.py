"""A network as text: the kernel that trains it, the derivation of its gradient, and C."""

from __future__ import annotations

import os

from numpy.typing import ArrayLike

from fastgd.arguments.checks import whole_number
from fastgd.network import Network
from fastgd.options import Options
from fastgd.system.float_errors import quiet


class Written(Network):
    """The description of a network, and the texts that are written of it."""

    @quiet
    def source(
        self,
        n: int = 4,
        *,
        method: str = "backprop",
        batch_size: int | None = None,
        shuffle: bool = True,
    ) -> str:
        """The Python module that the unrolled kernel compiles to train this network on `n` rows.

        Raises
        ------
        ValueError
            If the network is too large to be written out.
        """
        from fastgd import kernels

        n = whole_number("n", n, least=1)
        options = Options(method, batch_size=batch_size, shuffle=shuffle).checked_for(self, n)
        return kernels.source(kernels.make_plan(self, n, options, "unrolled"))

    def derivation(self, to: str = "latex") -> str:
        """The derivation of the gradient as the notes do it, for this network, from the lines that
        the unrolled kernel compiles; each line has a number and its equation of the notes.

        Parameters
        ----------
        to : str
            latex, a document of article and amsmath, or markdown, a page; of more than 500
            parameters, both have the matrix form of notes 004. python over NumPy and c define
            `cost(params, X, Y)` and `gradient(params, X, Y)`, and for squared error
            `layerwise_gradient`. sympy is Python that raises an AssertionError unless each step
            equals the one before.

        Raises
        ------
        ValueError, TypeError
            If `to` is none of these, or code would have more than 500 parameters by name.

        Examples
        --------
        >>> net = fastgd.MLP(2, 2, 1)
        >>> print(net.derivation(to="python").partition("def gradient")[2])  # doctest: +ELLIPSIS
        (params, X, Y):
        ...
            dw2_0_0 = mean(delta2_0 * a1_0)  # ... 004 Weights
        ...
        """
        from fastgd.derivation.languages import derivation

        return derivation(self, to)

    def to_c(
        self,
        params: ArrayLike,
        path: str | os.PathLike[str] | None = None,
        name: str = "network",
        *,
        dtype: str | None = None,
        gradient: bool = False,
        train: bool = False,
        fixed_point: str | None = None,
        input_range: float | None = None,
    ) -> str:
        """The network with these parameters as one header of C99, or of C++, which needs nothing
        but math.h and allocates nothing:
        `void network(const double x[NETWORK_INPUTS], double y[NETWORK_OUTPUTS])`.

        Of an input that is not finite, which predict refuses, all outputs are NaN. Its functions
        are static inline; where `path` ends in .c, or NETWORK_API is defined as nothing, other
        files can be linked with them.

        Parameters
        ----------
        path : where to write it, if anywhere
        name : str, of the function, and what all others begin with
        dtype : str
            float64 for double, float32 for float; the network's own if not given.
        gradient : bool
            Adds `network_jacobian(x, y, jacobian)`, the outputs and dy[i] / dx[k].
        train : bool
            Adds `network_step(x, y, rate)`, a step of gradient descent on one sample, which changes
            the weights; it returns the loss before.
        fixed_point : str, optional
            q15 or q31 for whole numbers of 16 or 32 bits: `network(const int16_t x[], int16_t
            y[])`; `network_inputs` and `network_outputs` turn doubles into such and back.
            NETWORK_ERROR is how far an output may be off: twice the most that was measured.
        input_range : float, optional
            How large inputs of a network in whole numbers may be, as it sees them: between -4 and 4
            if not given. The smaller, the more exact.

        Raises
        ------
        ValueError, TypeError
            If parameters are not finite, or the name is none that a function of C can have.
        OSError
            If the file can't be written.
        """
        from fastgd.export.c import to_c
        from fastgd.export.exported import Exported

        of = Exported.of(self, params)
        return to_c(of, path, name, dtype, gradient, train, fixed_point, input_range)
