"""Functions that make functions: derivatives, products and maps of functions of Tensors, as `torch.func`."""

from tinygrad_cnn.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from tinygrad_cnn.func.mapping import vmap
from tinygrad_cnn.func.modules import functional_call, stack_module_state
from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]

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
