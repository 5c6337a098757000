"""Cross-entropy of class indices, row by row of the logits."""

import numpy as np

from tinygrad_cnn.core.types import NDArray


def class_losses(x: NDArray, t: NDArray) -> NDArray:
    """-ln softmax(x)[n, t[n]] of logits (N, K) and labels (N,), as (N,); shifted, so that nothing overflows."""
    shifted = x - np.maximum.reduce(x, axis=1, keepdims=True, initial=-np.inf)
    picked = shifted[np.arange(len(t)), t]
    return np.asarray(np.log(np.add.reduce(np.exp(shifted), axis=1)) - picked)


def class_losses_input(g: NDArray, x: NDArray, t: NDArray) -> NDArray:
    """The gradient in x: g (N,) times softmax(x) - [k = t], lying in memory as x does."""
    e = np.exp(x - np.maximum.reduce(x, axis=1, keepdims=True, initial=-np.inf))
    hot = (np.arange(x.shape[1])[:, None] == t).T  # lies by columns, so that the result lies as x does
    return np.asarray(g.reshape(-1, 1) * (e / np.add.reduce(e, axis=1, keepdims=True) - hot))
