"""Training by each kernel, lanes among them, in one way."""

import numpy as np

import fastgd


def trained_by(kernel, net, X, Y, epochs, learning_rate, params, **options):
    """The run that `train` ends in, or one of four members that `train_many` trains in lanes from the same parameters."""
    if kernel == "lanes":
        return fastgd.train_many(net, X, Y, epochs, learning_rate, params=np.stack([params] * 4), kernel=kernel, **options)[2]
    return fastgd.train(net, X, Y, epochs, learning_rate, params=params, kernel=kernel, **options)
