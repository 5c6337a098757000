"""The layers and functions of PyTorch that are not here, and what to use instead: an AttributeError says so."""

VOLUMES = "there are no volumes in convolutions and pooling; use the form for planes, with the depth among the channels"
LAZY = "sizes are given when a layer is made; use the layer without Lazy, with the size of its input"
FRACTIONAL = "windows do not lie at random; use AdaptiveMaxPool2d"
ADAPTIVE = "there is no softmax over clusters of classes; use Linear and CrossEntropyLoss"
FUSED = "the two are not fused; use Linear and CrossEntropyLoss"
MATRICES = "there are no grouped or scaled products of small dtypes; use matmul"

VOLUME_LAYERS = (
    *("Conv3d", "ConvTranspose3d", "MaxPool3d", "AvgPool3d", "LPPool3d", "MaxUnpool3d"),
    *("AdaptiveAvgPool3d", "AdaptiveMaxPool3d"),
)
VOLUME_FUNCTIONS = (
    *("conv3d", "conv_transpose3d", "max_pool3d", "avg_pool3d", "lp_pool3d", "max_unpool3d"),
    *("adaptive_avg_pool3d", "adaptive_max_pool3d", "max_pool3d_with_indices", "adaptive_max_pool3d_with_indices"),
)
LAZY_LAYERS = (
    "LazyLinear",
    *(f"Lazy{kind}{n}d" for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm") for n in (1, 2, 3)),
)
FRACTIONAL_FUNCTIONS = tuple(f"fractional_max_pool{n}d{end}" for n in (2, 3) for end in ("", "_with_indices"))

LAYERS = {
    **dict.fromkeys(VOLUME_LAYERS, VOLUMES),
    **dict.fromkeys(LAZY_LAYERS, LAZY),
    **dict.fromkeys(("FractionalMaxPool2d", "FractionalMaxPool3d"), FRACTIONAL),
    "AdaptiveLogSoftmaxWithLoss": ADAPTIVE,
    "LinearCrossEntropyLoss": FUSED,
    "SyncBatchNorm": "there is one process; use BatchNorm2d",
    "CrossMapLRN2d": "use LocalResponseNorm, which computes the same",
    "NLLLoss2d": "PyTorch deprecates it; use NLLLoss, which takes (N, K, H, W), too",
    "DataParallel": "there is one device, whose cores the kernels share; call the module itself",
}
"""Of `nn`, by name."""

FUNCTIONS = {
    **dict.fromkeys(VOLUME_FUNCTIONS, VOLUMES),
    **dict.fromkeys(FRACTIONAL_FUNCTIONS, FRACTIONAL),
    **dict.fromkeys(("grouped_mm", "scaled_mm", "scaled_grouped_mm"), MATRICES),
    "conv_tbc": "use conv1d of (N, C, L): x.permute(1, 2, 0)",
    "linear_cross_entropy": FUSED,
}
"""Of `nn.functional`, by name."""
