"""What PyTorch calls the nodes of a graph, where its op has another name than ours."""

from typing import Any

from tinygrad_cnn.core.types import Shape

NAMES = {
    "Amax": ("AmaxBackward0", "MaxBackward1"),  # of some dims, of all
    "Amin": ("AminBackward0", "MinBackward1"),
    "Arccos": "AcosBackward0",
    "Arccosh": "AcoshBackward0",
    "Arcsin": "AsinBackward0",
    "Arcsinh": "AsinhBackward0",
    "Arctan": "AtanBackward0",
    "Arctan2": "Atan2Backward0",
    "Arctanh": "AtanhBackward0",
    "Cast": "ToCopyBackward0",
    "Clamp": "ClampBackward1",
    "ClassCrossEntropy": "NllLossBackward0",
    "Conv2D": "ConvolutionBackward0",
    "Conv2DBias": "ConvolutionBackward0",
    "Det": "LinalgDetBackward0",
    "GeluTanh": "GeluBackward0",
    "Linear": "AddmmBackward0",
    "MaxDim": "MaxBackward0",
    "MaxPool2D": "MaxPool2DWithIndicesBackward0",
    "Mean": ("MeanBackward1", "MeanBackward0"),
    "MinDim": "MinBackward0",
    "Norm": "LinalgVectorNormBackward0",
    "Pad": "ConstantPadNdBackward0",
    "Pow": "PowBackward1",
    "PowScalar": "PowBackward0",
    "Prod": ("ProdBackward1", "ProdBackward0"),
    "Reshape": "ViewBackward0",
    "CopySlices": "CopySlices",
    "SetItem": "CopySlices",
    "Slogdet": "LinalgSlogdetBackward0",
    "SoftmaxCrossEntropy": "NllLossBackward0",
    "Solve": "LinalgSolveExBackward0",
    "Sum": ("SumBackward1", "SumBackward0"),
}
"""By our names. Where there are two, the first is of results with dims, the second of numbers."""


def name_of_node(op: str, shape: Shape, options: dict[str, Any]) -> str:
    """PyTorch's name of the node of an op, of the shape of its result."""
    if op == "GetItem":
        return f"{_reading(options['index'])}Backward0"
    if op == "Matmul":
        return "BmmBackward0" if len(shape) == 3 else "MmBackward0"
    name = NAMES.get(op, f"{op}Backward0")
    return name if isinstance(name, str) else name[not shape]


def _reading(index: Any) -> str:
    """What the last step of an index is in PyTorch, which takes one after the other."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(hasattr(part, "dtype") or isinstance(part, list) for part in parts):
        return "Index"
    for part in reversed(parts):
        if isinstance(part, int):
            return "Select"
        if isinstance(part, slice) and part != slice(None):
            return "Slice"
        if part is None:
            return "Unsqueeze"
    return "Alias"
