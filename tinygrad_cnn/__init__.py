"""tinygrad_cnn: an autograd micro-framework in NumPy, in PyTorch's spelling, every gradient checked.

>>> import tinygrad_cnn as tg
>>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x ** 2).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

import sys as _sys
import typing as _typing
from importlib import import_module as _import
from types import ModuleType as _Module

import numpy as _np

from tinygrad_cnn import autograd as autograd
from tinygrad_cnn import linalg as linalg
from tinygrad_cnn import ops as ops
from tinygrad_cnn.autograd import enable_grad as enable_grad
from tinygrad_cnn.autograd import inference_mode as inference_mode
from tinygrad_cnn.autograd import is_anomaly_enabled as is_anomaly_enabled
from tinygrad_cnn.autograd import is_grad_enabled as is_grad_enabled
from tinygrad_cnn.autograd import is_inference_mode_enabled as is_inference_mode_enabled
from tinygrad_cnn.autograd import no_grad as no_grad
from tinygrad_cnn.autograd import set_grad_enabled as set_grad_enabled
from tinygrad_cnn.kernels.chosen import get_kernels as get_kernels
from tinygrad_cnn.kernels.chosen import set_kernels as set_kernels
from tinygrad_cnn.kernels.threads import get_num_threads as get_num_threads
from tinygrad_cnn.kernels.threads import set_num_threads as set_num_threads
from tinygrad_cnn.ops import Op as Op
from tinygrad_cnn.ops.mistakes import MistakeWarning as MistakeWarning
from tinygrad_cnn.random import *
from tinygrad_cnn.tensor import Tensor as Tensor
from tinygrad_cnn.tensor.creation import *
from tinygrad_cnn.tensor.functions import *
from tinygrad_cnn.tensor.inquiry import *
from tinygrad_cnn.tensor.legacy_types import *
from tinygrad_cnn.tensor.low_rank import *
from tinygrad_cnn.tensor.printing import set_printoptions as set_printoptions
from tinygrad_cnn.tensor.sampling import *
from tinygrad_cnn.torch_names import dtypes as _dtypes
from tinygrad_cnn.torch_names import return_types as return_types
from tinygrad_cnn.torch_names.absent import Reasons as _Reasons
from tinygrad_cnn.torch_names.absent import why_absent as _why_absent
from tinygrad_cnn.torch_names.conversion import *
from tinygrad_cnn.torch_names.device import *
from tinygrad_cnn.torch_names.dtypes import *
from tinygrad_cnn.torch_names.settings import *
from tinygrad_cnn.torch_names.size import Size as Size
from tinygrad_cnn.version import __version__ as __version__

bool, float, int = _dtypes.bool_, _dtypes.float_, _dtypes.int_
e, inf, nan, pi, newaxis = _np.e, _np.inf, _np.nan, _np.pi, None

if _typing.TYPE_CHECKING:
    from tinygrad_cnn import accelerator as accelerator
    from tinygrad_cnn import amp as amp
    from tinygrad_cnn import backends as backends
    from tinygrad_cnn import cuda as cuda
    from tinygrad_cnn import data as data
    from tinygrad_cnn import datasets as datasets
    from tinygrad_cnn import distributions as distributions
    from tinygrad_cnn import func as func
    from tinygrad_cnn import gradcheck as gradcheck
    from tinygrad_cnn import io as io
    from tinygrad_cnn import jit as jit
    from tinygrad_cnn import learn as learn
    from tinygrad_cnn import nn as nn
    from tinygrad_cnn import onnx as onnx
    from tinygrad_cnn import optim as optim
    from tinygrad_cnn import profiler as profiler
    from tinygrad_cnn import program as program
    from tinygrad_cnn import serialization as serialization
    from tinygrad_cnn import special as special
    from tinygrad_cnn import teach as teach
    from tinygrad_cnn import testing as testing
    from tinygrad_cnn import transforms as transforms
    from tinygrad_cnn import utils as utils
    from tinygrad_cnn.later import *
else:
    _sys.meta_path.append(_Reasons)
    _ROOMS = (
        "accelerator",
        "amp",
        "backends",
        "cuda",
        "data",
        "datasets",
        "distributions",
        "func",
        "gradcheck",
        "io",
        "jit",
        "learn",
        "nn",
        "onnx",
        "optim",
        "profiler",
        "program",
        "serialization",
        "special",
        "teach",
        "testing",
        "transforms",
        "utils",
    )
    autograd.later["gradcheck"] = autograd.later["gradgradcheck"] = "tinygrad_cnn.gradcheck"  # PyTorch's place for them

    def __getattr__(name):
        """A room, or a function of one, that is loaded when it is first asked for."""
        if name in _ROOMS:
            return _import(f"tinygrad_cnn.{name}")
        if name == "__all__":
            later = {n: v for n, v in vars(_import("tinygrad_cnn.later")).items() if callable(v)}
            shown = {n for n, v in {**globals(), **later}.items() if n[0] != "_" and not isinstance(v, _Module)}
            return sorted(shown | {*_ROOMS, "__version__", "autograd", "linalg", "ops", "return_types"} - {"gradcheck"})
        if not name.startswith("_"):
            later = vars(_import("tinygrad_cnn.later"))
            if name in later:
                return globals().setdefault(name, later[name])
        raise AttributeError(_why_absent(name), name=name, obj=_sys.modules[__name__])

    def __dir__():
        """All names, those that are not loaded yet among them."""
        return sorted({*globals(), *_ROOMS, *__getattr__("__all__")})
