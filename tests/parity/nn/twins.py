"""A layer or function here and in PyTorch, side by side: values, gradients of first and second order, parameters."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st

import tinygrad_cnn as tg


class Case(NamedTuple):
    """How a layer is made, and what it is given: floating arrays get gradients, unless they are `fixed`."""

    args: tuple = ()
    options: dict = {}
    inputs: tuple = ()
    fixed: tuple = ()
    """The numbers of the inputs that PyTorch gives no gradient."""
    order: int = 2
    """Up to which derivative the two are compared."""


def normal(draw, shape, low=0):
    """Numbers of a normal distribution, or, to meet kinks and ties, of a coarse grid; with `low`, above that."""
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    x = random.normal(size=shape)
    if draw(st.booleans()):
        x = np.round(2 * x) / 2
    return np.abs(x) + low if low else x


def on_grid(x):
    """Whether an array may lie at kinks, where the second derivative is a matter of taste."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.size > 0 and not np.any(2 * x % 1)


def held(value, library, wanted):
    """The value in the arrays of a library."""
    if not isinstance(value, np.ndarray):
        return value
    if library is torch:
        return torch.tensor(value, requires_grad=wanted)
    return tg.tensor(value.copy(), requires_grad=wanted)


def arrays_of(result):
    """What a call returned, as a list of tensors."""
    return list(result) if isinstance(result, tuple) else [result]


def plain(value):
    """The numbers of a tensor of either library."""
    return value.detach().numpy(force=True) if isinstance(value, torch.Tensor) else value.detach().numpy()


def same(a, b, what, rtol, atol):
    """Ours, theirs: equal to these tolerances, None meaning zeros."""
    if a is None and b is None:
        return
    a, b = (None if v is None else plain(v) for v in (a, b))
    a, b = (np.zeros_like(b) if a is None else a), (np.zeros_like(a) if b is None else b)
    assert a.shape == b.shape, (what, a.shape, b.shape)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=what)


def grads(library, *args, **kwargs):
    """Gradients, without PyTorch's or our complaints that some input is not used."""
    return library.autograd.grad(*args, allow_unused=True, **kwargs)


def compare(ours, theirs, case, parameters=((), ())):
    """Call both with the case's inputs; compare outputs, first and, where PyTorch has them, second derivatives."""
    wanted = [
        isinstance(v, np.ndarray) and v.dtype.kind == "f" and k not in case.fixed for k, v in enumerate(case.inputs)
    ]
    results: list[Any] = []
    for library, call, own in ((tg, ours, parameters[0]), (torch, theirs, parameters[1])):
        xs = [held(v, library, w) for v, w in zip(case.inputs, wanted, strict=True)]
        leaves = [x for x, w in zip(xs, wanted, strict=True) if w] + list(own)
        results.append((library, leaves, arrays_of(call(*xs))))
    (_, leaves, outputs), (_, _, their_outputs) = results
    assert len(outputs) == len(their_outputs)
    for a, b in zip(outputs, their_outputs, strict=True):
        assert str(a.dtype) == str(b.dtype)
        same(a, b, "output", 1e-9, 1e-10)
    if not their_outputs[0].requires_grad or not leaves:
        assert not leaves or not outputs[0].requires_grad
        return
    random = np.random.default_rng(7)
    v = np.asarray(random.normal(size=outputs[0].shape))
    us = [random.normal(size=tuple(x.shape)) for x in leaves]
    smooth = case.order > 1 and not any(on_grid(x) for x in case.inputs)
    first, second = [], []
    for library, xs, ys in results:
        cotangent = held(v, library, True)
        g = grads(library, ys[0], xs, cotangent, create_graph=True)
        first.append(g)
        second.append(second_order(library, g, us, [*xs, cotangent]) if smooth else None)
    for k, (a, b) in enumerate(zip(*first, strict=True)):
        same(a, b, f"gradient {k}", 1e-7, 1e-9)
    if second[1] is not None:
        for k, (a, b) in enumerate(zip(*second, strict=True)):
            same(a, b, f"second derivative {k}", 1e-7, 1e-8)


def second_order(library, gradients, us, leaves):
    """The gradient of the gradients' inner products with given arrays; None where PyTorch has not written it."""
    total = None
    for g, u in zip(gradients, us, strict=True):
        if g is not None and g.requires_grad:
            term = (g * held(u, library, False)).sum()
            total = term if total is None else total + term
    if total is None:
        return [None] * len(leaves)
    try:
        return grads(library, total, leaves)
    except RuntimeError as error:
        if library is torch and "not implemented" in str(error):
            return None
        raise


def check_layer(name, case, training=True, seed=0):
    """A layer made, begun, printed, called and differentiated alike in both libraries."""
    layers = []
    for library in (tg, torch):
        library.manual_seed(seed)
        args = [held(v, library, False) for v in case.args]
        options = {k: held(v, library, False) for k, v in case.options.items()}
        layers.append(getattr(library.nn, name)(*args, **options))
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-6, atol=1e-7, err_msg=key)
    ours.double().train(training)
    theirs.double().train(training)
    random = np.random.default_rng(seed)
    state = {
        k: v.numpy() if v.dtype == torch.int64 else random.uniform(0.5, 1.5, size=tuple(v.shape))
        for k, v in theirs.state_dict().items()
    }
    ours.load_state_dict({k: tg.tensor(v) for k, v in state.items()})
    theirs.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(ours, theirs, case, (list(ours.parameters()), list(theirs.parameters())))
    for (key, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, err_msg=key)


def check_function(name, case):
    """A function of nn.functional alike in both libraries; `case.args` and `options` follow the inputs."""
    calls = [
        lambda *xs, F=library.nn.functional: getattr(F, name)(*xs, *case.args, **case.options)
        for library in (tg, torch)
    ]
    tg.manual_seed(0)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(*calls, case)
