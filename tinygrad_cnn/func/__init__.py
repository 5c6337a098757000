"""Functions that make functions: derivatives, products and maps of functions of Tensors, as `torch.func`."""

from typing import TYPE_CHECKING

from tinygrad_cnn.func.derivatives import *
from tinygrad_cnn.func.mapping import *
from tinygrad_cnn.func.modules import *
from tinygrad_cnn.torch_names.absent import absent

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __getattr__ = absent(
        "torch.func",
        {
            "linearize": "use func.jvp, or autograd.functional.jvp; each call differentiates afresh",
            "functionalize": "nothing is traced or compiled; write with expressions instead of writes in place",
            "replace_all_batch_norm_modules_": "vmap runs sample by sample; call .eval(), or use GroupNorm",
            "rearrange": "use reshape, permute and einsum",
            "debug_unwrap": "tensors are not wrapped",
        },
    )
