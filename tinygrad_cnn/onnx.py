"""`torch.onnx`, which is not here: a program may import it, and is told when it asks for something."""

from typing import TYPE_CHECKING

from tinygrad_cnn.torch_names.absent import absent

if not TYPE_CHECKING:
    __getattr__ = absent(
        "torch.onnx",
        dict.fromkeys(
            ("export", "dynamo_export", "is_in_onnx_export", "load", "ONNXProgram", "register_custom_op_symbolic"),
            "no graph is exported; save(model.state_dict(), …) keeps the parameters",
        ),
    )
