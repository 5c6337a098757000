"""The layers, functions and methods of PyTorch that are not here, and what to use instead: an error says so."""

from tinygrad_cnn.torch_names.errors import DeviceError

VOLUMES = "there are no volumes in convolutions and pooling; use the form for planes, with the depth among the channels"
FRACTIONAL = "windows do not lie at random; use AdaptiveMaxPool2d"
ADAPTIVE = "there is no softmax over clusters of classes; use Linear and CrossEntropyLoss"
FUSED = "the two are not fused; use Linear and CrossEntropyLoss"
MATRICES = "there are no grouped or scaled products of small dtypes; use matmul"

VOLUME_LAYERS = (
    *("Conv3d", "ConvTranspose3d", "MaxPool3d", "AvgPool3d", "LPPool3d", "MaxUnpool3d"),
    *("AdaptiveAvgPool3d", "AdaptiveMaxPool3d", "LazyConv3d", "LazyConvTranspose3d"),
)
VOLUME_FUNCTIONS = (
    *("conv3d", "conv_transpose3d", "max_pool3d", "avg_pool3d", "lp_pool3d", "max_unpool3d"),
    *("adaptive_avg_pool3d", "adaptive_max_pool3d", "max_pool3d_with_indices", "adaptive_max_pool3d_with_indices"),
)
FRACTIONAL_FUNCTIONS = tuple(f"fractional_max_pool{n}d{end}" for n in (2, 3) for end in ("", "_with_indices"))

LAYERS = {
    **dict.fromkeys(VOLUME_LAYERS, VOLUMES),
    **dict.fromkeys(("FractionalMaxPool2d", "FractionalMaxPool3d"), FRACTIONAL),
    "AdaptiveLogSoftmaxWithLoss": ADAPTIVE,
    **dict.fromkeys(("LinearCrossEntropyLoss", "LinearCrossEntropyOptions"), FUSED),
    "factory_kwargs": "layers take device and dtype themselves",
    "SyncBatchNorm": "there is one process; use BatchNorm2d",
    "CrossMapLRN2d": "use LocalResponseNorm, which computes the same",
    "NLLLoss2d": "PyTorch deprecates it; use NLLLoss, which takes (N, K, H, W), too",
    "UninitializedBuffer": "lazy layers have empty buffers before their first input",
}
"""Of `nn`, by name."""

FUNCTIONS = {
    **dict.fromkeys(VOLUME_FUNCTIONS, VOLUMES),
    **dict.fromkeys(FRACTIONAL_FUNCTIONS, FRACTIONAL),
    **dict.fromkeys(("grouped_mm", "scaled_mm", "scaled_grouped_mm"), MATRICES),
    "conv_tbc": "use conv1d of (N, C, L): x.permute(1, 2, 0)",
    "linear_cross_entropy": FUSED,
    "multi_head_attention_forward": "use MultiheadAttention, or scaled_dot_product_attention",
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
        "modules are not compiled; call the module itself, with set_kernels('numba') for compiled kernels",
    ),
    "cuda": (
        DeviceError,
        "there is no GPU here, only the CPU; leave .cuda() out, or write .to('cuda' if cuda.is_available() else 'cpu')",
    ),
    "register_backward_hook": (RuntimeError, "it is not here; use register_full_backward_hook"),
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
