"""`torch.nn.parallel` where there is only the CPU: a parallel module hands its input to the module that it holds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.absent import absent
from tinygrad_cnn.torch_names.errors import DeviceError

__all__ = ["DataParallel"]


class DataParallel(Module):
    """A module to be spread over GPUs: with none it is, as in PyTorch, the module itself under the name `module`.

    The kernels share a batch among the processor's cores without being asked (``set_num_threads``).

    Parameters
    ----------
    module : Module
        What is called; its keys in the ``state_dict`` begin with ``module.``.
    device_ids, output_device
        GPUs, of which there are none: None, or an empty list.
    dim : int
        The dimension along which a batch would be split; it is not.

    Raises
    ------
    DeviceError
        If a GPU is named.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> net = tg.nn.DataParallel(tg.nn.Linear(2, 3))
    >>> net(tg.ones(5, 2)).shape, list(net.state_dict())
    (torch.Size([5, 3]), ['module.weight', 'module.bias'])
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        if device_ids or output_device is not None:
            raise DeviceError(
                f"DataParallel: device_ids={device_ids}, output_device={output_device}: there is no GPU; leave them out"
            )
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Tensor:
        return self.module(*inputs, **kwargs)


if not TYPE_CHECKING:
    __getattr__ = absent(
        "torch.nn.parallel",
        dict.fromkeys(
            ("data_parallel", "DistributedDataParallel", "gather", "parallel_apply", "replicate", "scatter"),
            "there is one CPU and one process; call the module itself, or DataParallel, which does",
        ),
    )
