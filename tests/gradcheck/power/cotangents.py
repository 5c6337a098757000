"""Mistakes that only some cotangents show, or only some layouts of memory."""

import numpy as np

from tests.gradcheck.power.case import Wrong, normal


def slope(x):
    return 1 - np.tanh(x) ** 2


def right(g, x):
    return g * slope(x)


def losing(change, size=1.0, name="", given=None, f=np.tanh, vjp=right):
    """A VJP that changes its cotangent first."""
    return Wrong(f"cotangent {name}", f, vjp, lambda g, *inputs: vjp(change(g), *inputs), given or (X,), size)


X = normal(141, 6)
A, B = normal(142, 3, 4), normal(143, 4, 2)


def square(x):
    return (x * x).sum()


def square_vjp(g, x):
    return 2 * g * x


def matmul(a, b):
    return a @ b


def matmul_vjp(g, a, b):
    return g @ b.T, a.T @ g


def by_strides(g, x):
    """Reads a transposed input as if its rows came one after another."""
    return g * slope(x if x.flags.c_contiguous else np.ravel(x, "K").reshape(x.shape))


def by_memory(g, x):
    """Forgets the last element of what has gaps."""
    out = right(g, x)
    if x.strides[-1] != x.itemsize:
        out[..., -1] = 0
    return out


def backwards(g, x):
    return right(g, x) if x.strides[0] > 0 else right(g, x)[::-1]


CASES = [
    losing(lambda g: g.astype(np.float16).astype(np.float64), name="through float16"),
    losing(lambda g: np.ldexp(np.round(np.ldexp(np.frexp(g)[0], 8)), np.frexp(g)[1] - 8), name="through bfloat16"),
    losing(lambda g: np.clip(g, -20, 20), 100.0, "clipped at 20"),
    losing(lambda g: np.clip(g, -1, 1), 3.0, "clipped at 1"),
    losing(lambda g: np.where(np.abs(g) < 0.04, 0, g), 0.03, "small ones zeroed"),
    losing(lambda g: np.where(np.abs(g) < 1e-3, 0, g), 1e-4, "tiny ones zeroed"),
    losing(np.abs, name="without its sign"),
    losing(lambda g: np.maximum(g, 0), name="positive only"),
    losing(np.sign, name="as a sign"),
    losing(lambda g: g / np.sqrt(np.sum(g * g)), name="normalised"),
    losing(lambda g: g / max(1.0, np.sqrt(np.sum(g * g))), 30.0, "of norm above 1 shortened"),
    losing(lambda g: g / max(1.0, np.sqrt(np.sum(g * g)) / 100), 300.0, "of norm above 100 shortened"),
    losing(np.ones_like, name="taken for ones"),
    losing(lambda g: g + 1e-3, name="with a little added", size=0.0),
    losing(lambda g: np.full_like(g, g.reshape(-1)[0]), name="of the first output for all"),
    losing(lambda g: np.full_like(g, g.mean()), name="averaged"),
    losing(lambda g: np.where(np.abs(g) > 1000, 0, g), 3000.0, "huge ones zeroed"),
    losing(lambda g: np.round(g, 3), name="rounded to three places", size=1e-3),
    losing(lambda g: np.tanh(g / 30) * 30, name="squashed", size=30.0),
    losing(np.abs, name="of a loss without its sign", f=square, vjp=square_vjp, given=(normal(144, 5),)),
    losing(lambda g: np.ones_like(g), name="of a loss taken for 1", f=square, vjp=square_vjp, given=(normal(145, 5),)),
    losing(
        lambda g: np.clip(g, -2, 2), 10.0, "of a loss clipped at 2", f=square, vjp=square_vjp, given=(normal(146, 5),)
    ),
    losing(
        lambda g: g.astype(np.float32).astype(np.float16).astype(float),
        name="of a product through float16",
        f=matmul,
        vjp=matmul_vjp,
        given=(A, B),
    ),
    losing(lambda g: np.where(g == 0, np.nan, g), 0.0, "of 0 gives NaN", f=matmul, vjp=matmul_vjp, given=(A, B)),
    Wrong("squared cotangent", np.tanh, right, lambda g, x: right(g * np.abs(g), x), (X,)),
    Wrong("cotangent plus its square", np.tanh, right, lambda g, x: right(g + 1e-4 * g * g, x), (X,), 10.0),
    Wrong("layout: transposed", np.tanh, right, by_strides, (normal(147, 3, 4).T,)),
    Wrong("layout: gaps", np.tanh, right, by_memory, (normal(148, 3, 8)[:, ::2],)),
    Wrong("layout: backwards", np.tanh, right, backwards, (normal(149, 7)[::-1],)),
    Wrong("layout: every third", np.tanh, right, by_memory, (normal(150, 15)[::3],)),
]
