"""What every public callable of `gradcheck` and `gradcheck.strategies` returns; read by type checkers, not run.

mypy --strict tests/typing/assert_gradcheck.py
pyright tests/typing/assert_gradcheck.py
"""

from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn import Tensor, gradcheck
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.types import DType, NDArray, Pair, Shape
from tinygrad_cnn.gradcheck import battery, functions, planting, plotting, strategies

Gradients = tuple[NDArray | None, ...]


def checking(f: Callable[..., Tensor], x: Tensor, a: NDArray, checked: gradcheck.Checked) -> None:
    report = gradcheck.gradcheck(f, x)
    assert_type(report, gradcheck.Report)
    assert_type(gradcheck.gradgradcheck(f, [x]), gradcheck.Report)
    assert_type(gradcheck.derivative(np.sin), gradcheck.Estimate)
    assert_type(gradcheck.numpy_pair(np.sin, np.cos), functions.NumpyPair)
    assert_type(gradcheck.cached_pair(np.sin, np.cos), functions.CachedPair)
    assert_type(gradcheck.tensor_function(f), functions.TensorFunction)
    assert_type(gradcheck.torch_function(f), functions.TorchFunction)
    assert_type(gradcheck.jax_function(f), functions.JaxFunction)
    for adapter in (checked, functions.TensorFunction(f), functions.NumpyPair(f, f)):
        assert_type(adapter.evaluate([a]), tuple[NDArray, ...])
        assert_type(adapter.vjp([a], [a]), Gradients)


def reports(report: gradcheck.Report) -> None:
    assert_type(report.error(), Exception)
    assert_type(report.headline(), str)
    assert_type(report.smallest_text(), str)
    assert_type(report.to_json(), str)
    assert_type(gradcheck.Report.from_json(""), gradcheck.Report)
    assert_type(report.plot(), plotting.Figure)
    assert_type(report.plot().savefig("picture.png"), None)
    assert_type(report.verdict, gradcheck.Verdict)
    assert_type(report.worst, gradcheck.Entry | None)
    assert_type(report.entries, tuple[gradcheck.Entry, ...])
    assert_type(report.diagnoses, tuple[gradcheck.Diagnosis, ...])
    assert_type(report.entries[0].off, float)
    assert_type(report.entries[0].judged, bool)
    assert_type(gradcheck.Diagnosis("sign", "the sign is flipped", 1.0), gradcheck.Diagnosis)
    assert_type(gradcheck.Entry(0, "x", (), 1.0, 1.0, 0.0, gradcheck.Verdict.PASS), gradcheck.Entry)
    assert_type(gradcheck.Estimate(1.0, 0.0).coarse, bool)
    assert_type(gradcheck.GradientError("wrong"), gradcheck.GradientError)
    assert_type(gradcheck.Verdict("pass"), gradcheck.Verdict)


def planted(op: type[Op], x: Tensor, a: NDArray, random: np.random.Generator) -> None:
    assert_type(gradcheck.PLANTED["zeroed"](a), NDArray)
    assert_type(gradcheck.PLANTED["zeroed"](x), Tensor)
    with gradcheck.planted(op, 0, planting.zeroed) as nothing:
        assert_type(nothing, None)
    assert_type(gradcheck.CHECKS, tuple[battery.Check, ...])
    assert_type(gradcheck.CHECKS[0](op, strategies.Sample((a,), {}), random), None)


def drawing(draw: strategies.HypothesisDraw, domain: strategies.Domain, a: NDArray) -> None:
    assert_type(draw.integers(0, 3, 2), list[int])
    assert_type(draw.integer(0, 3), int)
    assert_type(draw.value(st.integers()), int)
    assert_type(draw.value("as it is"), str)
    assert_type(draw.boolean(), bool)
    assert_type(draw.choice(["a", "b"]), str)
    assert_type(draw.pair(0, 1), tuple[int, int])
    assert_type(draw.permutation(3), NDArray)
    assert_type(draw.shape(), Shape)
    assert_type(draw.broadcastable(2), list[Shape])
    assert_type(draw.axes(2), int | tuple[int, ...] | None)
    assert_type(draw.axis(2), int)
    assert_type(draw.array((2,), domain), NDArray)
    assert_type(draw.index_array((2,), 3), NDArray)
    assert_type(draw.layout(a), NDArray)
    for members in (strategies.Real(), strategies.Positive(), strategies.Distinct(), strategies.AwayFrom((0.0,))):
        assert_type(members.fill(draw, (2,)), NDArray)
        assert_type(members.grid(draw, (2,), 0.0, 1.0), NDArray)
    assert_type(strategies.AwayFrom((0.0,)).holes(), list[tuple[float, float]])


def sampler(draw: strategies.HypothesisDraw, most: int) -> int:
    return draw.integer(0, most)


def drawn(op: type[Op], a: NDArray) -> None:
    assert_type(strategies.drawn(sampler, 3), st.SearchStrategy[int])
    assert_type(strategies.samples(op), st.SearchStrategy[strategies.Sample])
    assert_type(strategies.dtypes(), st.SearchStrategy[DType])
    assert_type(strategies.shapes(), st.SearchStrategy[Shape])
    assert_type(strategies.broadcastable_shapes(2), st.SearchStrategy[strategies.Broadcast])
    assert_type(strategies.arrays((2, 3)), st.SearchStrategy[NDArray])
    assert_type(strategies.layouts(a), st.SearchStrategy[NDArray])
    assert_type(strategies.cotangents((2, 3)), st.SearchStrategy[NDArray])
    assert_type(strategies.axes(2), st.SearchStrategy[int | tuple[int, ...] | None])
    assert_type(strategies.axis(2), st.SearchStrategy[int])
    assert_type(strategies.indices((2, 3)), st.SearchStrategy[strategies.Index])
    assert_type(strategies.labels((2,), 10), st.SearchStrategy[NDArray])
    assert_type(strategies.conv_geometries(), st.SearchStrategy[strategies.ConvGeometry])
    assert_type(strategies.pool_geometries(), st.SearchStrategy[strategies.PoolGeometry])
    assert_type(strategies.broadcasting(strategies.Real()), st.SearchStrategy[strategies.Sample])
    assert_type(strategies.indexed(), st.SearchStrategy[strategies.Sample])
    assert_type(strategies.convolutions(), st.SearchStrategy[strategies.Sample])
    assert_type(strategies.poolings(), st.SearchStrategy[strategies.Sample])


def geometries(conv: strategies.ConvGeometry, pool: strategies.PoolGeometry, both: strategies.Broadcast) -> None:
    assert_type(conv.options(), dict[str, Any])
    assert_type(pool.options(), dict[str, Pair])
    assert_type(both.result, Shape)


def decorated(f: Callable[..., Any], pair: gradcheck.Checked) -> None:
    decorate = strategies.check_gradients(strategies.arrays((2,)))
    assert_type(decorate(f), Callable[..., None])
    assert_type(decorate(pair), Callable[..., None])
