"""What type checkers know of gradients, switches, random numbers, dtypes and devices; and the rest of `nn`.

`mypy --strict` and `pyright` read this file; nothing runs it.
"""

from collections.abc import Generator
from contextlib import _GeneratorContextManager as Context
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import tinygrad_cnn as tg
from tinygrad_cnn import Tensor, accelerator, autograd, backends, cuda, linalg, nn, numpy_protocol, ops, optim, random
from tinygrad_cnn import tensor as make
from tinygrad_cnn.autograd import Function, functional
from tinygrad_cnn.autograd.function import FunctionCtx, once_differentiable
from tinygrad_cnn.backends import cudnn, mkldnn, mps
from tinygrad_cnn.nn.utils import parametrize
from tinygrad_cnn.tensor.arrays import as_array, as_plain
from tinygrad_cnn.tensor.conversions import Nested, Number
from tinygrad_cnn.tensor.out import written

NDArray = npt.NDArray[Any]


def gradients(x: Tensor, y: Tensor, weight: nn.Parameter, net: nn.Linear) -> None:
    assert_type(autograd.backward(x), None)
    assert_type(autograd.backward([x, y], [x, y]), None)
    assert_type(autograd.grad(y, x), tuple[Tensor, ...])
    assert_type(autograd.grad(y, [x, x]), tuple[Tensor, ...])
    assert_type(autograd.grad(y, (x, weight)), tuple[Tensor, ...])
    assert_type(autograd.grad([y], weight), tuple[Tensor, ...])
    assert_type(autograd.grad(y, net.parameters(), create_graph=True), tuple[Tensor, ...])
    assert_type(autograd.Variable(x), Tensor)
    assert_type(autograd.is_anomaly_check_nan_enabled(), bool)
    assert_type(autograd.detect_anomaly(), autograd.detect_anomaly)
    assert_type(autograd.set_detect_anomaly(True), autograd.set_detect_anomaly)
    assert_type(autograd.note_write(np.zeros(2)), None)
    assert_type(bool(autograd.gradcheck(tg.sin, x)), bool)
    assert_type(bool(autograd.gradgradcheck(tg.sin, x)), bool)
    assert_type(x.grad, Tensor | None)
    assert_type(weight.grad, Tensor | None)
    if x.grad_fn is not None:
        assert_type(x.grad_fn.name(), str)
        assert_type(x.grad_fn, autograd.Node)


def square(x: Tensor) -> Tensor:
    return x * x


def pair(x: Tensor) -> tuple[Tensor, Tensor]:
    return x, x


def functionals(x: Tensor) -> None:
    assert_type(functional.vjp(square, x, x), tuple[Tensor, Tensor])
    assert_type(functional.vjp(pair, x), tuple[tuple[Tensor, Tensor], Tensor])
    assert_type(functional.jvp(square, x, x), tuple[Tensor, Tensor])
    assert_type(functional.vhp(square, x, x), tuple[Tensor, Tensor])
    assert_type(functional.hvp(square, (x, x)), tuple[Tensor, tuple[Tensor, Tensor]])
    assert_type(functional.jacobian(square, x), Tensor)
    assert_type(functional.hessian(square, x), Tensor)
    assert_type(functional.hessian(square, (x, x)), tuple[tuple[Tensor, ...], ...])


@tg.no_grad
def unrecorded(x: Tensor, n: int = 1) -> str:
    return "x"


@tg.no_grad()
def unrecorded_too(x: Tensor) -> int:
    return 1


@tg.enable_grad()
def recorded(x: Tensor) -> list[Tensor]:
    return [x]


@autograd.inference_mode
def inferred(x: Tensor) -> Tensor:
    return x


@tg.inference_mode(False)
def not_inferred(x: Tensor) -> float:
    return 1.0


@tg.set_grad_enabled(False)
def switched(n: int) -> Generator[int, None, None]:
    yield n


@tg.compile
def compiled(n: int) -> str:
    return "x"


@tg.compile(disable=True)
def compiled_too(n: int) -> str:
    return "x"


@once_differentiable
def backward(ctx: FunctionCtx, g: Tensor) -> Tensor:
    return g


def decorated(x: Tensor, net: nn.Linear) -> None:
    assert_type(unrecorded(x, n=2), str)
    assert_type(unrecorded_too(x), int)
    assert_type(recorded(x), list[Tensor])
    assert_type(inferred(x), Tensor)
    assert_type(not_inferred(x), float)
    assert_type(switched(2), Generator[int, None, None])
    assert_type(compiled(2), str)
    assert_type(compiled_too(2), str)
    assert_type(tg.compile(net), nn.Linear)
    with tg.no_grad() as nothing:
        assert_type(nothing, None)
    with tg.set_grad_enabled(True), tg.enable_grad(), tg.inference_mode():
        assert_type(tg.is_grad_enabled(), bool)


class Twice(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        assert_type(ctx.save_for_backward(x), None)
        assert_type(ctx.mark_dirty(x), None)
        assert_type(ctx.mark_non_differentiable(x), None)
        assert_type(ctx.set_materialize_grads(False), None)
        assert_type(ctx.save_for_forward(x), None)
        return x * 2

    @staticmethod
    def backward(ctx: FunctionCtx, g: Tensor) -> Tensor:
        return g * 2

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None: ...


def functions_with_gradients(x: Tensor, ctx: FunctionCtx) -> None:
    assert_type(backward(ctx, x), Tensor)
    assert_type(Twice.forward(ctx, x), Tensor)
    assert_type(Twice.setup_context(ctx, (x,), x), None)
    doubled: Tensor = Twice.apply(x)
    assert_type(doubled, Tensor)


def ops_of_ones_own(x: Tensor) -> None:
    assert_type(tg.Op.check_shapes((x,)), None)
    assert_type(tg.Op.formula(), str)
    assert_type(ops.Elementwise, type[ops.Elementwise])
    assert_type(ops.Unary, type[ops.Unary])


def numbers_of(x: Tensor) -> None:
    assert_type(x.item(), Number)
    assert_type(x.tolist(), Nested)
    assert_type(x.numpy(), NDArray)
    assert_type(make([1.0]), Tensor)
    assert_type(as_array([1.0], None), NDArray)
    assert_type(as_plain(x), Any)
    assert_type(written("f", x, None), Any)
    assert_type(Tensor([1.0]), Tensor)
    assert_type(tg.BoolTensor([True]), Tensor)
    assert_type(tg.ByteTensor([1]), Tensor)
    assert_type(tg.CharTensor([1]), Tensor)
    assert_type(tg.DoubleTensor([1.0]), Tensor)
    assert_type(tg.FloatTensor(2, 3), Tensor)
    assert_type(tg.HalfTensor([1.0]), Tensor)
    assert_type(tg.IntTensor([1]), Tensor)
    assert_type(tg.LongTensor([1]), Tensor)
    assert_type(tg.ShortTensor([1]), Tensor)
    assert_type(tg.finfo(tg.float32).eps, float)
    assert_type(tg.iinfo(tg.int32).max, int)
    assert_type(tg.float32, tg.dtype)
    assert_type(tg.float32.is_floating_point, bool)
    assert_type(tg.device("cpu").type, str)
    assert_type(tg.Size((2, 3)).numel(), int)
    assert_type(tg.Size((2, 3)) * 2, tg.Size)
    assert_type(tg.memory_format("x"), tg.memory_format)
    assert_type(tg.layout("x"), tg.layout)
    assert_type(linalg.LinAlgError("x"), linalg.LinAlgError)
    assert_type(numpy_protocol.of_method(np.add, "reduce", (x,), {}), Any)
    assert_type(numpy_protocol.with_dtype((x,), np.float32), tuple[Any, ...])


def random_numbers(generator: tg.Generator) -> None:
    assert_type(random.manual_seed(0), tg.Generator)
    assert_type(random.seed(), int)
    assert_type(random.initial_seed(), int)
    assert_type(random.get_rng_state(), NDArray)
    assert_type(random.set_rng_state(random.get_rng_state()), None)
    assert_type(random.fork_rng(), Context[None, None, None])
    assert_type(generator.manual_seed(0), tg.Generator)
    assert_type(generator.get_state(), NDArray)
    assert_type(generator.set_state(generator.get_state()), tg.Generator)
    assert_type(generator.clone_state(), tg.Generator)
    assert_type(generator.words(2), NDArray)
    assert_type(generator.long_words(2), NDArray)
    assert_type(generator.uniform((2,), np.float32), NDArray)
    assert_type(generator.normal((2,), np.float32), NDArray)
    assert_type(generator.integers(0, 2, (2,)), NDArray)
    assert_type(generator.any_integers((2,), np.int64), NDArray)
    assert_type(generator.permutation(3), list[int])
    assert_type(generator.bernoulli(0.5, (2,)), NDArray)
    assert_type(generator.exponential((2,), np.float32), NDArray)


def devices() -> None:
    assert_type(accelerator.is_available(), bool)
    assert_type(accelerator.device_count(), int)
    assert_type(accelerator.current_accelerator(), None)
    assert_type(cuda.is_available(), bool)
    assert_type(cuda.is_initialized(), bool)
    assert_type(cuda.is_bf16_supported(), bool)
    assert_type(cuda.device_count(), int)
    assert_type(cuda.manual_seed(0), None)
    assert_type(cuda.manual_seed_all(0), None)
    assert_type(cuda.empty_cache(), None)
    assert_type(backends.cuda.is_built(), bool)
    assert_type(cudnn.is_available(), bool)
    assert_type(cudnn.version(), None)
    assert_type(mkldnn.is_available(), bool)
    assert_type(mps.is_available(), bool)
    assert_type(mps.is_built(), bool)


def modules(net: nn.Module, x: Tensor, optimizer: optim.Optimizer, chain: parametrize.ParametrizationList) -> None:
    assert_type(nn.Linear(2, 3).reset_parameters(), None)
    assert_type(nn.BatchNorm2d(2).reset_running_stats(), None)
    lazy = nn.LazyLinear(2)
    lazy.become  # a class: Linear
    assert_type(lazy.has_uninitialized_params(), bool)
    assert_type(lazy.initialize_parameters(x), None)
    assert_type(net.add_module("a", net), None)
    assert_type(net.register_module("a", net), None)
    assert_type(net.register_parameter("a", None), None)
    assert_type(net.set_extra_state({}), None)
    assert_type(net.set_submodule("a", net), None)
    assert_type(nn.ModuleDict({}).clear(), None)
    assert_type(nn.LSTM(2, 3).flatten_parameters(), None)
    unknown = nn.UninitializedParameter()
    assert_type(unknown.materialize((2, 3)), None)
    assert_type(unknown.materialize_as(x), None)
    assert_type(unknown.convert(np.float64), None)
    assert_type(optim.lr_scheduler._LRScheduler(optimizer), optim.lr_scheduler._LRScheduler)
    assert_type(chain.right_inverse(x), None)


def refused_by_a_module(net: nn.Module) -> None:
    net.compile()


def refused_hook(net: nn.Module) -> None:
    net.register_backward_hook(print)


def refused_synchronisation() -> None:
    accelerator.synchronize()


def refused_devices(number: int) -> None:
    if number == 0:
        cuda.synchronize()
    if number == 1:
        cuda.current_device()
    if number == 2:
        cuda.get_device_name()
    if number == 3:
        cuda.get_device_properties()
    cuda.set_device(0)
