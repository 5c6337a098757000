"""What `import tinygrad_cnn` loads, each time in a new interpreter, and that what it leaves for later is there."""

import ast
import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_cnn as tg

PACKAGE = Path(tg.__file__).parent
ROOMS = (
    "accelerator backends cuda data datasets distributions func gradcheck io learn nn onnx optim serialization testing "
    "transforms utils"
).split()
LATER = {
    node.asname: f"{top.module}.{node.name}"
    for top in ast.parse((PACKAGE / "later.py").read_text(encoding="utf-8")).body
    if isinstance(top, ast.ImportFrom)
    for node in top.names
}
"""Functions of the face that rooms define which are loaded later, by where they are."""
NEEDLESS = {
    *("urllib", "ssl", "email", "http", "socket", "zipfile", "json", "tempfile", "shutil", "pathlib", "logging"),
    *("numpy.random", "threadpoolctl", "concurrent", "multiprocessing", "asyncio", "importlib.metadata"),
    *(f"tinygrad_cnn.{room}" for room in (*ROOMS, "later", "cli", "kernels.compiled", "kernels.definition")),
    *("tinygrad_cnn.autograd.functional", "tinygrad_cnn.autograd.function"),
}
"""What takes time to load and is not needed to compute with tensors."""


def output(code):
    """What a new interpreter prints that runs this code: a literal of Python."""
    environment = {name: value for name, value in os.environ.items() if name != "TINYGRAD_CNN_KERNELS"}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr
    return ast.literal_eval(done.stdout)


def test_an_import_loads_only_what_tensors_need():
    added = output("import sys, numpy; b = set(sys.modules); import tinygrad_cnn; print(sorted(set(sys.modules) - b))")
    needless = [name for name in added if NEEDLESS & {name, name.split(".")[0], ".".join(name.split(".")[:2])}]
    assert needless == []
    own = [name for name in added if name.split(".")[0] == "tinygrad_cnn"]
    assert len(own) <= 150, own
    assert len(added) - len(own) <= 24, set(added) - set(own)  # 20 with a NumPy of 2.4, which has the others already


def test_numpys_generators_are_loaded_by_the_first_draw():
    code = "import sys, tinygrad_cnn as tg; tg.nn.init; a = 'numpy.random' in sys.modules; "
    assert output(code + "tg.rand(1); print((a, 'numpy.random' in sys.modules))") == (False, True)


def test_threads_that_draw_first_draw_from_one_stream():
    code = """
import sys, threading, tinygrad_cnn as tg
sys.setswitchinterval(1e-6)
start, found = threading.Barrier(8), []
def draw():
    start.wait()
    found.append((id(tg.default_generator.numpy), tg.randint(2**31, (4,)).tolist()))
threads = [threading.Thread(target=draw) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print((len({k for k, _ in found}), len({tuple(v) for _, v in found})))
"""
    assert output(code) == (1, 8)


def test_every_room_can_be_imported_first():
    code = f"""
import importlib, sys
for room in {ROOMS}:
    for name in [name for name in sys.modules if name.split(".")[0] == "tinygrad_cnn"]:
        del sys.modules[name]
    module = importlib.import_module("tinygrad_cnn." + room)
    face = sys.modules["tinygrad_cnn"]
    assert getattr(face, room) is module and getattr(face, room) is module, room
    y = face.tensor([1.0, 2.0], requires_grad=True)
    (y * y).sum().backward()
    assert y.grad.tolist() == [2.0, 4.0], room
print(None)
"""
    assert output(code) is None


def test_every_name_that_is_loaded_later_is_there_when_it_is_asked_for():
    code = f"""
import sys, tinygrad_cnn as tg
unseen = {{*{ROOMS}, *{sorted(LATER)}}} - set(dir(tg))
for room in {ROOMS}:
    assert hasattr(tg, room) and getattr(tg, room) is sys.modules["tinygrad_cnn." + room], room
for name, path in {LATER}.items():
    module, _, own = path.rpartition(".")
    assert hasattr(tg, name) and getattr(tg, name) is getattr(sys.modules[module], own), name
    assert name in vars(tg), name  # found at once from now on
assert tg.autograd.Function is sys.modules["tinygrad_cnn.autograd.function"].Function
assert tg.autograd.functional is sys.modules["tinygrad_cnn.autograd.functional"]
print(sorted(unseen))
"""
    assert output(code) == []


def test_a_star_import_brings_everything():
    code = """
from tinygrad_cnn import *
import tinygrad_cnn as tg
print(sorted(name for name in tg.__all__ if globals().get(name) is not getattr(tg, name)))
"""
    assert output(code) == []
    assert {*LATER, *ROOMS} - {"gradcheck"} <= set(tg.__all__)


def test_dir_names_what_there_is():
    assert {*LATER, *ROOMS, *tg.__all__, "tensor", "Tensor", "__version__"} <= set(dir(tg))
    assert set(tg.autograd.__all__) <= set(dir(tg.autograd))
    assert [name for name in dir(tg) if not hasattr(tg, name)] == []


def test_a_name_that_is_nowhere_is_an_attribute_error():
    assert not hasattr(tg, "no_such_name")
    with pytest.raises(AttributeError, match="no_such_name"):
        tg.no_such_name
    with pytest.raises(ImportError, match="no_such_name"):
        from tinygrad_cnn import no_such_name  # noqa: F401


def test_what_is_loaded_later_can_be_pickled_and_copied():
    for thing in (tg.nn.Linear, tg.save, tg.dropout, tg.optim.SGD, tg.autograd.Function, tg.func.vmap):
        assert pickle.loads(pickle.dumps(thing)) is thing is copy.deepcopy(thing)
    layer = tg.nn.Linear(2, 3)
    pickled = pickle.dumps(layer)
    for other in (copy.deepcopy(layer), pickle.loads(pickled)):
        assert other.weight.tolist() == layer.weight.tolist()
    code = f"import pickle; print(pickle.loads({pickled!r}).weight.tolist())"  # nothing else of the package is named
    assert output(code) == layer.weight.tolist()
    drawn = copy.deepcopy(tg.default_generator), pickle.loads(pickle.dumps(tg.default_generator))
    assert all(type(g) is type(tg.default_generator) for g in drawn)
