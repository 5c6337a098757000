"""The layers, functions and methods of PyTorch that are not here, and what to use instead: an error says so."""

from tinygrad_cnn.torch_names.errors import DeviceError

ADAPTIVE = "there is no softmax over clusters of classes; use Linear and CrossEntropyLoss"
MATRICES = "there are no grouped or scaled products of small dtypes; use matmul"

LAYERS = {
    "AdaptiveLogSoftmaxWithLoss": ADAPTIVE,
    "factory_kwargs": "layers take device and dtype themselves",
    "SyncBatchNorm": "there is one process; use BatchNorm2d",
    "CrossMapLRN2d": "use LocalResponseNorm, which computes the same",
    "NLLLoss2d": "PyTorch deprecates it; use NLLLoss, which takes (N, K, H, W), too",
    "UninitializedBuffer": "lazy layers have empty buffers before their first input",
}
"""Of `nn`, by name."""

FUNCTIONS = {
    **dict.fromkeys(("grouped_mm", "scaled_mm", "scaled_grouped_mm"), MATRICES),
    "conv_tbc": "use conv1d of (N, C, L): x.permute(1, 2, 0)",
    **dict.fromkeys(
        (
            *("BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "ScalingType", "SwizzleType"),
            *("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"),
            "handle_torch_function",
        ),
        "it is a part of PyTorch's own compiler; nothing here needs it",
    ),
}
"""Of `nn.functional`, by name."""

MODULE_METHODS: dict[str, tuple[type[Exception], str]] = {
    "bfloat16": (TypeError, "NumPy has no bfloat16; use .half(), .float() or .double()"),
    "compile": (
        RuntimeError,
        "a module is not compiled in place; tinygrad_cnn.compile(module) gives one that is played back",
    ),
    "cuda": (
        DeviceError,
        "there is no GPU here, only the CPU; leave .cuda() out, or write .to('cuda' if cuda.is_available() else 'cpu')",
    ),
    "share_memory": (
        RuntimeError,
        "tensors are not shared between processes; use threads, which share them as they are",
    ),
}
"""Of `nn.Module`, by name: the error, and what it says."""

FUSION = "layers are not fused; scale the weight of the first by that of the norm yourself, or keep both"
LAYOUTS = "the kernels choose the layout in memory themselves; leave it out"

UTILS = {
    "stateless": "use func.functional_call",
    "skip_init": "weights are always drawn; make the layer as usual",
    **dict.fromkeys(
        ("fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"), FUSION
    ),
    **dict.fromkeys(("convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"), LAYOUTS),
}
"""Of `nn.utils`, by name."""
