"""The surface of layers and functions against PyTorch's: names, signatures, and what wrong input raises."""

import inspect
import warnings

import pytest
import torch

import tinygrad_cnn as tg
from tests.parity.nn import test_activations, test_convolutions, test_losses, test_norms, test_pooling, test_resampling
from tinygrad_cnn.nn import not_here

TABLES = {
    **test_activations.LAYERS,
    **test_convolutions.LAYERS,
    **test_losses.LOSSES,
    **test_norms.LAYERS,
    **test_pooling.LAYERS,
    **test_resampling.LAYERS,
}
TESTED_APART = {"MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "PairwiseDistance", "CosineSimilarity", "CTCLoss"}
ROOMS = (
    "activation", "conv", "distance", "dropout", "linear", "loss", "norm", "padding", "pooling", "resampling",
    "reshaping",
)  # fmt: skip
MODULES = [f"tinygrad_cnn.nn.{room}" for room in ROOMS]
LAYERS = [
    name
    for name in tg.nn.__all__
    if getattr(getattr(tg.nn, name), "__module__", "") in MODULES and issubclass(getattr(tg.nn, name), tg.nn.Module)
]
OTHER_ROOMS = (
    "Module", "Sequential", "Parameter", "Container", "RNN", "LSTM", "GRU", "Embedding", "MultiheadAttention",
    "Transformer", "ModuleList", "ModuleDict",
)  # fmt: skip


def test_every_layer_is_drawn():
    assert set(LAYERS) == {*TABLES, *TESTED_APART}


def test_every_layer_of_pytorch_is_here_or_said_to_be_absent():
    theirs = {
        name
        for name in dir(torch.nn)
        if inspect.isclass(c := getattr(torch.nn, name)) and issubclass(c, torch.nn.Module)
    }
    left = theirs - set(tg.nn.__all__) - set(not_here.LAYERS)
    assert {name for name in left if not name.startswith(OTHER_ROOMS)} == set()
    assert not set(not_here.LAYERS) & set(tg.nn.__all__)


def test_every_function_of_pytorch_is_here_or_said_to_be_absent():
    F = torch.nn.functional
    theirs = {n for n in dir(F) if n.islower() and not n.startswith("_") and callable(getattr(F, n))}
    theirs -= {
        n for n in theirs if getattr(getattr(F, n), "__module__", "") in ("torch.overrides", "torch._jit_internal")
    }
    theirs -= {n for n in theirs if n.startswith(("has_torch_function", "assert_", "handle_", "boolean_dispatch"))}
    left = theirs - set(tg.nn.functional.__all__) - set(not_here.FUNCTIONS)
    assert left <= {"embedding_bag", "multi_head_attention_forward", "scaled_dot_product_attention"}


def parameters_of(function):
    """Names, defaults and kinds of parameters; None where a signature says nothing."""
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    except ValueError:
        return None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    return [(p.name, p.default, p.kind) for p in parameters]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_pytorchs_signature(name):
    theirs = parameters_of(getattr(torch.nn, name).__init__)
    if theirs is not None:
        assert parameters_of(getattr(tg.nn, name).__init__) == theirs
    calls = [[p[:2] for p in parameters_of(getattr(library.nn, name).forward) or ()] for library in (tg, torch)]
    assert calls[0] == calls[1]


MORE_LENIENT = {"dropout": 1, "embedding": None}
"""How many parameters of ours PyTorch has not; None for what belongs to another table."""


@pytest.mark.parametrize("name", [n for n in tg.nn.functional.__all__ if hasattr(torch.nn.functional, n)])
def test_functions_have_pytorchs_signature(name):
    theirs, ours = (parameters_of(getattr(library.nn.functional, name)) for library in (torch, tg))
    if theirs is not None and MORE_LENIENT.get(name, 0) is not None:
        assert ours[: len(ours) - MORE_LENIENT.get(name, 0)] == theirs


WRONG = """
F.mse_loss(z(3,2), z(4))
F.l1_loss(z(3,2), z(4))
F.smooth_l1_loss(z(3), z(3), beta=-1.)
F.huber_loss(z(3), z(3), delta=0.)
F.binary_cross_entropy(z(3), z(3,1))
F.binary_cross_entropy(z(3)+2, z(3))
F.binary_cross_entropy_with_logits(z(3), z(4))
F.cross_entropy(z(3,2), z(4).long())
F.cross_entropy(z(3,2), z(3))
F.cross_entropy(z(3,2), z(3).long()+2)
F.cross_entropy(z(3,2), z(3).long(), label_smoothing=2.)
F.cross_entropy(z(3,2), z(3).long(), reduction='x')
F.cross_entropy(z(3,2), z(3).long(), z(3))
F.mse_loss(z(3), z(3), reduction='x')
F.nll_loss(z(3,2), z(3,1).long())
F.nll_loss(z(3,2), z(3).long()-1)
F.kl_div(z(3), z(4))
F.poisson_nll_loss(z(3), z(3), reduction='q')
F.poisson_nll_loss(z(3), z(4))
F.gaussian_nll_loss(z(3), z(3), z(3)-1)
F.gaussian_nll_loss(z(3,2), z(3,2), z(3,3))
F.cosine_embedding_loss(z(3,2), z(3,2), z(2))
F.cosine_embedding_loss(z(3,2), z(3,3), z(3))
F.margin_ranking_loss(z(3,2), z(3), z(3))
F.margin_ranking_loss(z(3), z(4), z(3))
F.triplet_margin_loss(z(3,2), z(3,2), z(3))
F.triplet_margin_loss(z(3,2), z(3,2), z(3,3))
F.triplet_margin_loss(z(3,2), z(3,2), z(3,2), margin=0.)
n.TripletMarginLoss(margin=-1.)
F.triplet_margin_with_distance_loss(z(3,2), z(3,2), z(3,2), margin=-1.)
F.multi_margin_loss(z(3,2), z(3).long(), p=3)
n.MultiMarginLoss(p=3)
F.multi_margin_loss(z(3,2), z(4).long())
F.multi_margin_loss(z(3,2), z(3).long()+2)
F.multilabel_margin_loss(z(3,2), z(3).long())
F.multilabel_margin_loss(z(3,2), z(3,2).long()+2)
F.multilabel_soft_margin_loss(z(3,2), z(3,3))
F.soft_margin_loss(z(3), z(2))
F.hinge_embedding_loss(z(3), z(2))
F.dropout(z(3), p=1.5)
F.dropout1d(z(3))
F.alpha_dropout(z(3), -1)
n.Dropout(2)
F.softmax(z(3,2), 5)
F.glu(z(3,3))
F.prelu(z(3,3), z(2))
F.prelu(z(3), z(3))
F.hardtanh(z(3), 2., 1.)
n.Hardtanh(2, 1)
F.softshrink(z(3), -1.)
F.celu(z(3), 0.)
F.rrelu(z(3), 1., .5)
F.threshold(z(3), 1.)
n.GELU('x')(z(3))
n.Softmax2d()(z(2,2))
n.PReLU(2)(z(3,3))
n.Threshold(1)
n.Conv2d(3,4,3,groups=2)
n.Conv2d(3,4,3,groups=0)
n.Conv2d(3,4,3,padding='x')
n.Conv2d(3,4,3,padding='same',stride=2)
n.Conv2d(3,4,3,padding_mode='x')
n.Conv2d(3,4,3,padding_mode='reflect',padding=6)(z(1,3,5,5))
n.Conv2d(-1,4,3)
n.ConvTranspose2d(3,4,3,padding_mode='reflect')
n.ConvTranspose2d(3,4,3,2)(z(1,3,4,4), output_size=(4,4))
n.ConvTranspose2d(3,4,3,2)(z(1,3,4,4), output_size=(4,))
n.ConvTranspose2d(3,4,3,2,output_padding=2)(z(1,3,4,4))
n.Linear(-1,2)
n.Linear(2,2.5)
n.Linear(2,3)(z(3,3))
n.Bilinear(0,2,3)
n.Conv2d(3,4,3)(z(1,2,5,5))
n.Conv2d(3,4,3)(z(1,5,5))
n.Conv2d(3,4,3)(z(5,5))
n.Conv2d(3,4,3)(z(1,3,2,2))
n.Conv1d(3,4,3)(z(1,3,2))
F.conv2d(z(1,3,5,5), z(2,3,3,3), z(3))
F.conv2d(z(1,3,5,5), z(2,3,3,3), stride=0)
F.conv2d(z(1,3,5,5), z(2,3,3,3), padding=-1)
F.conv2d(z(1,3,5,5), z(2,3,3,3), dilation=0)
F.max_pool2d(z(1,1,4,4), 0)
F.max_pool2d(z(1,1,4,4), 2, 0)
F.max_pool2d(z(1,1,4,4), 2, padding=2)
F.max_pool2d(z(4,4), 2)
F.max_pool2d(z(1,1,4,4), 5)
F.max_pool1d(z(4), 2)
F.avg_pool2d(z(1,1,4,4), 2, divisor_override=0)
F.avg_pool1d(z(1,1,4), 5)
F.avg_pool1d(z(4), 2)
F.adaptive_avg_pool2d(z(1,1,4,4), (2,))
F.adaptive_avg_pool2d(z(1,1,4,4), (2,2,2))
F.adaptive_avg_pool2d(z(1,1,4,4), -1)
F.adaptive_avg_pool3d(z(1,1,4,4), (2,2))
F.adaptive_max_pool3d(z(4,4,4), 2)
F.conv3d(z(1,3,5,5,5), z(2,3,3,3))
F.conv3d(z(1,3,5,5,5), z(2,3,3,6,3))
F.conv3d(z(1,3,5,5,5), z(2,3,3,3,3), z(3))
F.conv3d(z(1,3,5,5,5), z(2,3,3,3,3), stride=(1,2))
F.conv_transpose3d(z(1,3,5,5,5), z(2,3,3,3,3))
F.conv_transpose3d(z(1,2,5,5,5), z(2,3,3,3,3), output_padding=1)
n.Conv3d(3,4,3,padding='same',stride=2)
F.max_pool3d(z(1,1,4,4,4), 5)
F.max_pool3d(z(1,1,4,4,4), 2, padding=2)
F.max_pool3d(z(4,4,4), 2)
F.avg_pool3d(z(1,1,4,4,4), 2, divisor_override=0)
F.avg_pool3d(z(1,1,4,4,4), (2,2))
F.fractional_max_pool2d(z(1,1,4,4), 2)
F.fractional_max_pool2d(z(1,1,4,4), 2, output_size=4)
F.fractional_max_pool2d(z(1,1,4,4), (2,2,2), output_size=2)
n.FractionalMaxPool2d(2)
n.FractionalMaxPool2d(2, 3, .5)
n.FractionalMaxPool2d(2, output_ratio=1.5)
F.max_unpool3d(z(1,1,2,2,2), z(1,1,2,2,2).long()+99, 2)
F.linear_cross_entropy(z(3,2), z(4,3), z(3).long())
F.linear_cross_entropy(z(3,2), z(4,2), z(3).long(), linear_bias=z(3))
F.linear_cross_entropy(z(2), z(4,5,2), z(5).long())
F.linear_cross_entropy(z(3,2), z(4,2), z(3,4), ignore_index=1)
F.adaptive_avg_pool2d(z(4,4), 2)
F.adaptive_avg_pool1d(z(1,1,4), None)
F.max_unpool2d(z(1,1,2,2), z(1,1,2,2), 2)
F.max_unpool2d(z(1,1,2,2), z(1,1,2,2).long()+99, 2)
F.max_unpool2d(z(1,1,2,2), z(1,1,2,2).long(), 2, output_size=(9,9))
F.max_unpool2d(z(1,1,2,2), z(1,1,2,2).long(), 2, output_size=(5,))
F.max_unpool2d(z(1,1,2,2), z(1,1,1,2).long(), 2)
n.BatchNorm2d(3)(z(2,3,4))
n.BatchNorm2d(3)(z(2,4,4,4))
n.BatchNorm1d(3)(z(1,3))
n.BatchNorm1d(3)(z(3))
n.BatchNorm2d(-1)
F.batch_norm(z(2,3), None, None)
F.batch_norm(z(2,3), z(4), z(4))
n.LayerNorm(3)(z(2,4))
n.GroupNorm(2,3)
n.GroupNorm(2,4)(z(2,5))
n.GroupNorm(2,4)(z(4))
F.group_norm(z(2,5), 2)
F.group_norm(z(1,2), 2)
n.InstanceNorm2d(3,affine=True)(z(2,4,3,3))
n.InstanceNorm2d(3)(z(2,3,1,1))
n.InstanceNorm2d(3)(z(2,3))
n.RMSNorm(3)(z(2,4))
n.LocalResponseNorm(2)(z(3,))
F.normalize(z(3,2), dim=5)
F.unfold(z(1,2,4,4), 5)
F.fold(z(1,8,8), (4,4), 2)
F.fold(z(1,7,9), (4,4), 2)
F.interpolate(z(1,1,4,4))
F.interpolate(z(1,1,4,4), size=2, scale_factor=2)
F.interpolate(z(1,1,4,4), size=(2,2,2))
F.interpolate(z(1,1,4,4), scale_factor=2, mode='linear')
F.interpolate(z(1,1,4,4), scale_factor=2, mode='x')
F.interpolate(z(1,1,4,4), scale_factor=2, align_corners=True)
F.interpolate(z(4,4), scale_factor=2)
F.interpolate(z(1,1,4,4), size=0)
F.interpolate(z(1,1,4,4), size=2.5)
F.interpolate(z(1,1,4,4), size=3, recompute_scale_factor=True)
n.Upsample()(z(1,1,4,4))
F.pixel_shuffle(z(1,3,4,4), 2)
F.pixel_shuffle(z(4,4), 2)
F.pixel_shuffle(z(1,4,4,4), 0)
F.pixel_unshuffle(z(1,4,3,4), 2)
F.channel_shuffle(z(1,4,3,4), 3)
n.ChannelShuffle(2)(z(4,3))
F.pad(z(3), (1,))
F.pad(z(3), (1,1), 'x')
F.pad(z(3), (1,1), 'reflect')
F.pad(z(2,3), (3,1), 'reflect')
F.pad(z(2,3), (1,1), 'reflect', 1.0)
F.pad(z(2,3), (1,1,1,1,1,1))
F.pad(z(2,3), (-4,0))
F.grid_sample(z(1,1,3,3), z(2,2,2,2), align_corners=False)
F.grid_sample(z(1,1,3,3), z(1,2,2,3), align_corners=False)
F.grid_sample(z(1,1,3,3), z(1,2,2,2), mode='x')
F.grid_sample(z(1,1,3,3), z(1,2,2,2), padding_mode='x')
F.affine_grid(z(2,2,3), (1,1,2,2), align_corners=False)
F.cosine_similarity(z(3,2), z(2,2))
F.pairwise_distance(z(3,2), z(2,2))
F.bilinear(z(3,2), z(2,3), z(4,2,3))
n.Unflatten(1,(2,3))(z(2,7))
n.Unflatten(1,5.0)
n.Unflatten(1,(2,'a'))
n.Flatten(3)(z(2,2))
F.one_hot(z(3))
F.embedding(z(3), z(3,2))
F.embedding(z(3).long()+5, z(3,2))
"""


@pytest.mark.parametrize("call", WRONG.strip().splitlines())
def test_wrong_input_raises_pytorchs_kind_of_exception(call):
    raised = []
    for library in (torch, tg):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:
                eval(call, {"F": library.nn.functional, "n": library.nn, "z": library.zeros})
        raised.append(caught.value)
    assert isinstance(raised[1], type(raised[0])), raised
