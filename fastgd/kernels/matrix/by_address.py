"""Activations and losses that the matrix kernel does not hold: it calls each at an address.

The kernel need not be compiled anew for one, only the loops of that function are, each over a whole
block. What they are given is a struct on the caller's stack; what a loss comes to is put into the
caller's panel.
"""

from fastgd.kernels.structs import FunctionCall
from fastgd.machine.jit import inline
from fastgd.machine.struct_view import caller, viewer

VALUE, DERIVATIVE = 0, 1  # what is wanted of a function

call_function = caller(FunctionCall)
_call_of = viewer(FunctionCall)


@inline
def activation(activate, times_derivative, address, zero, wanted):
    """What an activation's code does, by its two loops of `elementwise`."""
    call = _call_of(address, zero)
    if wanted == VALUE:
        activate(call.z, call.a, call.start, call.stop)
    else:
        times_derivative(call.z, call.a, call.delta, call.start, call.stop, call.factor)


@inline
def loss(cost_of, put_derivative, address, zero, wanted):
    """What a loss's code does, likewise."""
    call = _call_of(address, zero)
    size, stride = call.stop - call.start, call.stride
    if wanted == VALUE:
        call.panel[0] = cost_of(call.z, call.a, call.y, call.weight, call.start, size, stride)
    else:
        put_derivative(call.a, call.y, call.weight, call.delta, call.start, size, stride)
