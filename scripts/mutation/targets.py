"""What is mutated, and which tests answer for it: every rule of every op, the functions that only serve rules, and
those of the areas of `areas.py`.
"""

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import tinygrad_cnn  # noqa: F401  fills the registry
from scripts.mutation.areas import AREAS
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.learn.operators import definition

REDUCTIONS = ("Sum", "Mean", "Prod", "Var", "Std", "Amax", "Amin", "Logsumexp", "Norm")
CONVOLUTIONS = ("Conv2DInput", "Conv2DWeight", "Conv2D")
POOLS = ("MaxPool2D", "WindowPut", "WindowTake")
AVERAGES = ("AvgPool2DInput", "AvgPool2D")

ADJOINTS = {
    "core.conv.Conv2DInput.forward": ("Conv2DInput",),
    "core.conv.Conv2DWeight.forward": ("Conv2DWeight",),
    "core.linalg.ChannelSum.forward": ("ChannelSum",),
    "core.pool.WindowPut.forward": ("WindowPut",),
    "core.pool.WindowTake.forward": ("WindowTake",),
    "ops.pool.AvgPool2DInput.forward": ("AvgPool2DInput",),
    "core.indexing.PutItem.forward": ("PutItem",),
    "ops.indexing.ScatterAdd.forward": ("ScatterAdd",),
    "ops.shape.DiagonalPut.forward": ("DiagonalPut",),
    "core.piecewise.Gate.forward": ("Gate",),
}
"""The forward rules of ops that are there to be the derivative of another."""

HELPERS = {
    "core.reduce.beside": REDUCTIONS,
    "core.reduce.count": ("Mean", "Prod", "Var", "Std"),
    "ops.reduce.product_of_others": ("Prod",),
    "ops.reduce.products_before": ("Prod", "Cumprod"),
    "ops.reduce.carried_back": ("Cumprod", "Recurrence"),
    "ops.logarithms.part_of": ("Logaddexp",),
    "ops.elementwise.sigmoid_slope": ("Silu", "GeluTanh"),
    "ops.reduce.evenly": ("Amax", "Amin", "Norm"),
    "ops.reduce.at_extreme": ("MaxDim", "MinDim"),
    "core.indexing.is_basic": ("PutItem", "SetItem", "GetItem"),
    "core.indexing.last_writes": ("SetItem",),
    "ops.indexing.along_axis": ("Gather", "ScatterAdd", "Sort"),
    "core.linalg.rows": ("Linear",),
    "ops.solving.turned": ("Solve", "SolveTriangular", "Slogdet"),
    "ops.solving.cofactors": ("Det",),
    "ops.decompositions.symmetric": ("Cholesky", "Eigh"),
    "ops.decompositions.mirrored": ("Cholesky", "QR"),
    "ops.decompositions.gaps": ("Eigh", "SVD"),
    "ops.decompositions.turning": ("SVD",),
    "ops.decompositions.outside": ("SVD",),
    "ops.decompositions.times_lower": ("LU",),
    "ops.decompositions.times_upper": ("LU",),
    "ops.norm.standardised": ("Normalize",),
    "core.engine.settle": ("Add", "Mul", "Where", "Matmul", "Cast", "Sum", "Exp"),
    "core.reduce.unbroadcast": ("Add", "Mul", "Where", "Maximum", "SetItem", "Matmul"),
}
"""Functions of the ops and of the engine that derivatives are made of."""

KERNELS = {
    "kernels.conv.conv2d_input": CONVOLUTIONS,
    "kernels.conv.turned": CONVOLUTIONS,
    "kernels.conv.conv2d_weight": CONVOLUTIONS,
    "kernels.conv.contract_by_taps": CONVOLUTIONS,
    "kernels.conv.contract_by_rows": CONVOLUTIONS,
    "kernels.conv.scatter_taps": CONVOLUTIONS,
    "kernels.pool.border": (*POOLS, *AVERAGES),
    "kernels.pool.window_take": POOLS,
    "kernels.pool.window_put": POOLS,
    "kernels.pool.avg_pool2d_input": AVERAGES,
    "kernels.pool.divisors": AVERAGES,
    "kernels.conv.taps": (*CONVOLUTIONS, *POOLS),
    "kernels.passes.gate": ("Gate", "Relu"),
    "kernels.passes.recurrence": ("Recurrence", "Cumprod"),
    "kernels.passes.channel_sums": ("ChannelSum", "Conv2DBias"),
}
"""NumPy's kernels of gradients."""

BESIDE = {
    "ops.recurrent": ("tests/nn/test_sequences.py",),
}
"""Rooms of rules, and tests that ask more than the checks of samples do."""


@dataclass(frozen=True)
class Target:
    """A function to be mutated, and the ops whose tests it has to get past."""

    name: str
    function: Any = field(compare=False)
    ops: tuple[str, ...]
    kind: str
    """"rule", "adjoint", "helper" or "kernel"; of what only tests of the package answer for, "tested"."""
    area: str = "rules"
    tests: tuple[str, ...] = ()
    """Which tests of the package have a say, after the checks of the ops."""

    @property
    def definition(self) -> ast.FunctionDef:
        """Its syntax tree."""
        return definition(self.function)

    @property
    def source(self) -> str:
        """Its source."""
        return inspect.getsource(inspect.unwrap(self.function))


def targets() -> Iterator[Target]:
    """All of them: the rules in the order of the registry, then the rest. A function that ops share comes once."""
    seen: set[Any] = set()
    for name, op in registry.items():
        for rule in op.rules:
            if op.__module__.startswith("tinygrad_cnn.") and rule is not None and rule.function not in seen:
                seen.add(rule.function)
                room = op.__module__.removeprefix("tinygrad_cnn.")
                full = f"{room}.{rule.function.__qualname__}"
                yield Target(full, rule.function, (name,), "rule", tests=tests_beside(room))
    for kind, table in (("adjoint", ADJOINTS), ("helper", HELPERS), ("kernel", KERNELS)):
        for name, ops in table.items():
            function, area = found(name), "kernels" if kind == "kernel" else "rules"
            seen.add(function)
            yield Target(name, function, ops, kind, area, tests_beside(name))
    for area, (_, groups, _, _, left_out) in AREAS.items():
        for group in groups:
            for name in group.names:
                for full, function in functions_of(name):
                    if function not in seen and function.__name__ not in left_out:
                        seen.add(function)
                        yield Target(full, function, (), "tested", area, group.tests)


def tests_beside(name: str) -> tuple[str, ...]:
    """The tests that know more of a rule than the samples of its op."""
    return next((tests for begins, tests in BESIDE.items() if name.startswith(begins)), ())


def found(name: str) -> Any:
    """The function of this name: room, module, (class,) function."""
    room, module, *rest = name.split(".")
    value: Any = importlib.import_module(f"tinygrad_cnn.{room}.{module}")
    for part in rest:
        value = getattr(value, part)
    return inspect.unwrap(value)


def functions_of(module: str) -> Iterator[tuple[str, Any]]:
    """The functions and methods that a module defines, by their full names, but those that only call `super`."""
    if module.startswith("kernels.compiled") and not importlib.util.find_spec("numba"):
        return
    room = importlib.import_module(f"tinygrad_cnn.{module}")
    for value in vars(room).values():
        parts = list(vars(value).values()) if inspect.isclass(value) and value.__module__ == room.__name__ else [value]
        for part in parts:
            function = behind(part)
            if not inspect.isfunction(function) or function.__module__ != room.__name__:
                continue
            bound = function.__code__.co_freevars or "<" in function.__qualname__
            if not bound and function.__code__.co_filename == room.__file__:
                yield f"{module}.{function.__qualname__}", function


def behind(value: Any) -> Any:
    """The function behind a property, a method of the class, or a compiled loop."""
    if isinstance(value, property):
        return value.fget
    value = getattr(value, "__func__", value)
    if getattr(value, "__module__", "").startswith("tinygrad_cnn.kernels.compiled"):
        from scripts.mutation.machine import plain  # needs Numba

        return plain(value)
    return inspect.unwrap(value) if callable(value) else value
