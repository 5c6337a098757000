"""`core/` is a framework of its own: its imports, its size, its reading order, and a network that it trains alone."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn
from tinygrad_cnn.core.op import Elementwise, registry
from tinygrad_cnn.tensor import Tensor

PACKAGE = Path(tinygrad_cnn.__file__).parent
CORE = PACKAGE / "core"
MODULES = sorted(path for path in CORE.glob("*.py") if path.name != "__init__.py")
BACKWARD = ("run", "arrive", "pull_back", "derivative", "add")
"""The methods of `engine.Pass` that are the backward pass."""


def imported(path):
    """Every module that a file imports, those for type checkers and those within functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lines_of_code(function):
    """The lines of a function that are neither empty, a comment, nor its docstring."""
    said = range(function.body[0].lineno, function.body[0].end_lineno + 1) if ast.get_docstring(function) else ()
    lines = (CORE / "engine.py").read_text(encoding="utf-8").splitlines()
    kept = [lines[k - 1].strip() for k in range(function.lineno, function.end_lineno + 1) if k not in said]
    return len([line for line in kept if line and not line.startswith("#")])


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: p.name)
def test_core_imports_core_and_kernels_and_nothing_else_of_the_package(path):
    own = [name for name in imported(path) if name.split(".")[0] == "tinygrad_cnn"]
    assert [name for name in own if name.split(".")[1:2] not in (["core"], ["kernels"])] == []


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: p.name)
def test_core_does_not_speak_of_other_frameworks(path):
    assert "torch" not in path.read_text(encoding="utf-8").lower()


def test_core_is_read_in_one_sitting():
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in CORE.rglob("*.py")) <= 3000


def test_the_backward_pass_is_sixty_lines():
    tree = ast.parse((CORE / "engine.py").read_text(encoding="utf-8"))
    (running,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Pass"]
    methods = {node.name: node for node in running.body if isinstance(node, ast.FunctionDef)}
    assert set(methods) == {"__init__", *BACKWARD}
    assert sum(lines_of_code(methods[name]) for name in BACKWARD) <= 60


def test_the_reading_order_names_every_module():
    order = (ast.get_docstring(ast.parse((CORE / "__init__.py").read_text(encoding="utf-8"))) or "").partition(">>>")[0]
    named = set(re.findall(r"`(\w+)`", order)) - {"kernels"}
    assert named == {path.stem for path in MODULES}


ALONE = '''
import doctest, importlib, pkgutil, sys
from pathlib import Path

import numpy as np

import tinygrad_cnn.core
from tinygrad_cnn.core.conv import Conv2DBias, Geometry
from tinygrad_cnn.core.linalg import Linear
from tinygrad_cnn.core.loss import ClassCrossEntropy
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.piecewise import Relu
from tinygrad_cnn.core.pool import MaxPool2D, Windows
from tinygrad_cnn.core.shape import Reshape
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.kernels.chosen import set_kernels

assert Path(tinygrad_cnn.__file__).parent == Path(sys.argv[1]) / "tinygrad_cnn", tinygrad_cnn.__file__
assert Tensor.meanings == {} and Tensor.kind is Tensor
set_kernels(sys.argv[2])
random = np.random.default_rng(0)
labels = np.arange(8) % 3
images = random.normal(size=(8, 1, 8, 8))
for n, k in enumerate(labels):  # one bright patch, whose row says the class
    images[n, 0, 2 * k : 2 * k + 2, 1:4] += 3
SHAPES = {"w": (4, 1, 3, 3), "b": (4,), "v": (3, 36), "c": (3,)}


def loss_of(x, w, b, v, c):
    """Convolution, relu, pooling, a linear layer and cross-entropy."""
    y = Relu.apply(Conv2DBias.apply(x, w, b, geometry=Geometry((1, 1), ((0, 0), (0, 0)), (1, 1), 1)))
    y, _ = MaxPool2D.apply(y, windows=Windows((2, 2), (2, 2), (0, 0), (1, 1)), ceil_mode=False)
    y = Linear.apply(Reshape.apply(y, shape=(len(labels), 36)), v, c)
    return ClassCrossEntropy.apply(y, labels, np.full(len(labels), 1 / len(labels)), each=False)


def begin(dtype):
    return [random.normal(scale=0.3, size=shape).astype(dtype) for shape in SHAPES.values()]


# the gradients agree with finite differences, element by element
arrays = [images, *begin(np.float64)]
tensors = [Tensor(a, requires_grad=True) for a in arrays]
loss_of(*tensors).backward()
compared = 0
for tensor, array in zip(tensors, arrays, strict=True):
    for place in np.ndindex(array.shape):
        value, slopes = array[place], []
        for h in (1e-6, -1e-6):
            array[place] = value + h
            slopes.append(float(loss_of(*arrays)))
        array[place] = value
        expected = (slopes[0] - slopes[1]) / 2e-6
        assert abs(tensor.grad.array[place] - expected) < 1e-8 + 1e-6 * abs(expected), (tensor.array.shape, place)
        compared += 1

# and the network learns by them
x = Tensor(images.astype(np.float32))
parameters = [Tensor(a, requires_grad=True) for a in begin(np.float32)]
losses = []
for step in range(40):
    loss = loss_of(x, *parameters)
    loss.backward()
    losses.append(float(loss.array))
    mode.recording = False
    for p in parameters:
        p[...] = p - 0.2 * p.grad
        p.grad = None
    mode.recording = True
assert losses[0] > 0.8 and losses[-1] < 0.05, losses

for module in pkgutil.iter_modules(tinygrad_cnn.core.__path__, "tinygrad_cnn.core."):
    assert not doctest.testmod(importlib.import_module(module.name)).failed, module.name
assert not doctest.testmod(tinygrad_cnn.core).failed
own = {name.split(".")[1] for name in sys.modules if name.startswith("tinygrad_cnn.")}
assert own == {"core", "kernels"}, own
print(compared)
'''


@pytest.mark.parametrize("kernels", ["numpy", "definition"])
def test_core_and_kernels_alone_train_a_network_by_right_gradients(kernels, tmp_path):
    for room in ("core", "kernels"):
        shutil.copytree(PACKAGE / room, tmp_path / "tinygrad_cnn" / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tinygrad_cnn" / "__init__.py").touch()
    (tmp_path / "alone.py").write_text(ALONE, encoding="utf-8")
    # the folder of the script is the first that Python looks in
    command = [sys.executable, "-W", "error", str(tmp_path / "alone.py"), str(tmp_path), kernels]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 8 * 64 + 36 + 4 + 108 + 3


def test_a_rule_may_leave_it_to_the_engine_to_spread_a_number():
    class Slanted(Elementwise):
        """y = 3 x        dx = 3 g"""

        def forward(x):
            return 3 * x

        def d_x(g):
            return np.float32(3.0)  # right where g is 1

    try:
        x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
        Slanted.apply(x).backward(np.ones((2, 3), np.float32))
        assert x.grad.array.tolist() == [[3.0] * 3] * 2
    finally:
        del registry["Slanted"]
