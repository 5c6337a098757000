"""``torch.autograd.graph``: the nodes of a graph, and hooks on what it saves."""

from typing import TYPE_CHECKING

from tinygrad_cnn.autograd.nodes import AccumulateGrad as AccumulateGrad
from tinygrad_cnn.autograd.nodes import Node as Node
from tinygrad_cnn.autograd.packing import disable_saved_tensors_hooks as disable_saved_tensors_hooks
from tinygrad_cnn.autograd.packing import save_on_cpu as save_on_cpu
from tinygrad_cnn.autograd.packing import saved_tensors_hooks as saved_tensors_hooks
from tinygrad_cnn.torch_names.absent import absent

if not TYPE_CHECKING:
    __getattr__ = absent(
        "torch.autograd.graph",
        {
            "allow_mutation_on_saved_tensors": "use clone() before a write in place",
            "register_multi_grad_hook": "use Tensor.register_hook on each tensor",
            "get_gradient_edge": "pass the tensor itself to autograd.grad",
            "GradientEdge": "pass the tensor itself to autograd.grad",
            "increment_version": "writes through a Tensor are noticed by themselves",
        },
    )
