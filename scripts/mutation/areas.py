"""What is mutated beside rules and NumPy's kernels of gradients, and the tests of the package that answer for it.

An area is a list of groups: modules, and the tests that judge their functions. A name is that of a module below
`tinygrad_cnn`, or of one function of it; tests are "path", or "path::part of the name", `*` standing for anything.
"""

from typing import NamedTuple


class Group(NamedTuple):
    """Modules whose functions answer to the same tests."""

    names: tuple[str, ...]
    tests: tuple[str, ...]


class Area(NamedTuple):
    """A part of the package, its groups, and how many of its mutants are tried: always the same ones."""

    title: str
    groups: tuple[Group, ...] = ()
    size: int | None = None
    seconds: float = 30
    """Of a processor's work that a mutant may take."""
    left_out: tuple[str, ...] = ()
    """Functions that compute no number: what they say and how they look."""


DEFINITION, COMPILED = "tests/kernels/test_definition.py", "tests/kernels/test_compiled.py"
NUMBA = f"{DEFINITION}::*numba"
ROOM = "kernels.compiled"
OPTIM, SEQUENCES, JUDGE = "tests/optim", "tests/nn/test_sequences.py", "tests/gradcheck"
STEPS = f"{OPTIM}/test_from_pytorch.py"
VERDICTS = (
    *(
        f"{JUDGE}/test_{name}.py"
        for name in ("judge", "thorough", "finer", "point", "referee", "tolerances", "differences", "kinks", "loosened")
    ),
    *(f"{JUDGE}/test_projections.py::{part}" for part in ("direction", "projection", "halving", "products", "outputs")),
    f"{JUDGE}/test_oracles.py",
    *(f"{JUDGE}/test_gradcheck.py::{part}" for part in ("right", "outside", "kink", "scale", "worst", "planted")),
    f"{JUDGE}/test_verdict_maps.py",
    *(f"{JUDGE}/test_projections.py::{part}" for part in ("several", "kink", "number", "fast_mode", "turns")),
    f"{JUDGE}/test_power.py",
    f"{JUDGE}/test_false_failures.py::what",
)
LAYERS, GRADIENTS = "tests/nn/test_from_pytorch.py", "tests/ops/test_gradients.py"
PASSES = ("tests/autograd/test_passes.py",)
OPTIMISERS = (
    "adadelta", "adafactor", "adagrad", "adam", "adamax", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd", "rules"
)  # fmt: skip
SCHEDULERS = ("combined", "cosine", "cycles", "decay", "functions", "plateau", "scheduler")

AREAS = {
    "rules": Area("Rules of the ops, and what they are made of", size=1000),
    "kernels": Area("NumPy's kernels of gradients", size=100),
    "compiled": Area(
        "Compiled kernels",
        (
            Group((f"{ROOM}.norm",), ("tests/kernels/test_norm.py::numba",)),
            Group(
                (f"{ROOM}.pool",),
                (
                    f"{COMPILED}::oblong",
                    f"{COMPILED}::pooling",
                    f"{COMPILED}::minus_infinity",
                    f"{DEFINITION}::poolings*numba",
                ),
            ),
            Group(
                (f"{ROOM}.elementwise",),
                (
                    f"{COMPILED}::blocks",
                    f"{COMPILED}::passes",
                    f"{DEFINITION}::passes*numba",
                    "tests/kernels/test_scatter.py",
                    "tests/kernels/test_choices.py",
                ),
            ),
            Group((f"{ROOM}.descent",), (f"{DEFINITION}::optimisers*numba", f"{COMPILED}::descending")),
            Group((f"{ROOM}.loss",), (f"{DEFINITION}::losses*numba", f"{COMPILED}::labels")),
            Group((f"{ROOM}.recurrent",), (f"{DEFINITION}::recurrences*numba", f"{DEFINITION}::memories*numba")),
            Group((f"{ROOM}.activations",), ("tests/kernels/test_activations.py::numba",)),
            Group((f"{ROOM}.normal",), ("tests/kernels/test_normal.py::numba",)),
            Group(
                (f"{ROOM}.conv", f"{ROOM}.direct", f"{ROOM}.grouped"),
                (f"{COMPILED}::many_images", f"{DEFINITION}::convolutions*numba"),
            ),
            Group(
                (f"{ROOM}.layout",),
                (
                    f"{COMPILED}::planes_lie",
                    f"{DEFINITION}::convolutions_with_steps*numba",
                    f"{DEFINITION}::convolutions_are*numba",
                ),
            ),
            Group((f"{ROOM}.winograd",), (f"{COMPILED}::tiles", f"{DEFINITION}::many_channels*numba")),
            Group((f"{ROOM}.matmul",), (f"{COMPILED}::products", f"{DEFINITION}::products*numba")),
        ),
        size=60,
        seconds=150,
        left_out=("marks_of", "pays"),
    ),
    "optimisers": Area(
        "Optimisers",
        (
            Group(
                tuple(f"optim.{name}" for name in OPTIMISERS),
                (STEPS, f"{OPTIM}/test_optim.py", f"{OPTIM}/test_differentiable.py", f"{OPTIM}/test_optimizer.py"),
            ),
            Group(("optim.muon",), (STEPS, f"{OPTIM}/test_muon.py", f"{OPTIM}/test_optimizer.py")),
            Group(
                ("optim.lbfgs", "optim.line_search"), (STEPS, f"{OPTIM}/test_lbfgs.py", f"{OPTIM}/test_optimizer.py")
            ),
            Group(("optim.optimizer",), (f"{OPTIM}/test_optimizer.py", f"{OPTIM}/test_optim.py")),
            Group(("optim.swa_utils",), (STEPS, f"{OPTIM}/test_swa_utils.py")),
            Group(tuple(f"optim.lr_scheduler.{name}" for name in SCHEDULERS), (STEPS, f"{OPTIM}/test_lr_scheduler.py")),
            Group(
                ("kernels.descent",),
                (f"{DEFINITION}::decay*numpy", f"{DEFINITION}::optimisers*numpy", f"{OPTIM}/test_optim.py::threads"),
            ),
        ),
        size=100,
        left_out=("__init__", "__repr__", "check", "check_settings", "check_betas", "_check", "check_optimizer"),
    ),
    "layers": Area(
        "Recurrent and normalisation layers",
        (
            Group(
                ("ops.recurrence", "ops.recurrent", "nn.rnn"),
                (
                    LAYERS,
                    SEQUENCES,
                    "tests/nn/test_layers.py::begin",
                    *(f"{GRADIENTS}::?{op}?" for op in ("RNN", "LSTM", "ProjectedLSTM", "GRU")),
                ),
            ),
            Group(("kernels.recurrent",), (f"{DEFINITION}::recurrences*numpy", f"{DEFINITION}::memories*numpy")),
            Group(("kernels.norm",), ("tests/kernels/test_norm.py::numpy",)),
            Group(
                ("ops.norm", "nn.norm", "nn.functional.norm"),
                (
                    LAYERS,
                    "tests/nn/test_layers.py",
                    "tests/nn/test_functions.py",
                    *(f"{GRADIENTS}::?{op}?" for op in ("Normalize", "ScaleChannels")),
                ),
            ),
        ),
        size=100,
        left_out=(
            "__init__",
            "extra_repr",
            "_check_settings",
            "_check",
            "check_last",
            "sample",
            "sequences",
            "warn_unlike_features",
        ),
    ),
    "hooks": Area(
        "Hooks, saved tensors and the backward pass",
        (
            Group(
                ("autograd.hooks", "autograd.nodes", "core.engine", "core.graph", "core.saved", "autograd.function"),
                (
                    *PASSES,
                    "tests/autograd/test_hooks.py",
                    "tests/autograd/test_engine.py",
                    "tests/autograd/test_function.py",
                    *(f"{GRADIENTS}::?{op}?" for op in ("Einsum", "Cat", "Pad")),
                ),
            ),
            Group(("autograd.packing",), ("tests/autograd/test_packing.py", *PASSES)),
            Group(("autograd.anomaly",), ("tests/autograd/test_switches.py", *PASSES)),
            Group(
                ("nn.hooks", "nn.global_hooks"),
                (
                    "tests/nn/test_module.py",
                    *PASSES,
                    "tests/autograd/test_hooks.py",
                    "tests/nn/test_modules_by_file.py",
                    "tests/nn/test_notebook.py",
                ),
            ),
        ),
        size=100,
        left_out=("__init__", "__repr__", "check_hook", "name", "check_dirty"),
    ),
    "judge": Area(
        "The judge: differences, kinks, verdicts",
        (
            Group(
                tuple(
                    f"gradcheck.{name}"
                    for name in (
                        "judge",
                        "differences",
                        "kinks",
                        "thorough",
                        "projections",
                        "finer",
                        "point",
                        "referee",
                    )
                ),
                VERDICTS,
            ),
        ),
        size=80,
        seconds=180,
        left_out=("__init__",),
    ),
}
"""In the order of the page. The first two have targets of their own (`targets.py`), the first judges of their own."""
