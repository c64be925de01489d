"""The update of one parameter, once, for one float or one vector of them."""

from fastgd.jit import merged


@merged
def sgd(parameter, gradient, learning_rate):
    """w - rate * dC/dw."""
    return parameter - learning_rate * gradient
