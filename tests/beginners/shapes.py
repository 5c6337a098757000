"""Shapes that do not fit: layers, products, joining, reshaping."""

import numpy as np

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn
from tinygrad_cnn.nn import functional as F

SHAPES = "Shapes do not fit"


@mistake(
    SHAPES,
    "A Linear layer after a convolution, without flatten",
    RuntimeError,
    "linear",
    "(4, 8, 6, 6)",
    "288",
    "flatten",
)
def _():
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Linear(288, 10))
    net(tg.zeros(4, 1, 8, 8))


@mistake(
    SHAPES, "Pictures given to a Linear layer as they are", RuntimeError, "linear", "(32, 1, 28, 28)", "784", "flatten"
)
def _():
    nn.Linear(784, 10)(tg.zeros(32, 1, 28, 28))


@mistake(
    SHAPES, "The flattened size, calculated wrongly", RuntimeError, "linear", "(4, 288)", "(10, 400)", "288", "400"
)
def _():
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(400, 10))
    net(tg.zeros(4, 1, 8, 8))


@mistake(SHAPES, "Flattening the batch, too", RuntimeError, "linear", "(3136,)", "784", "flatten(1)")
def _():
    nn.Linear(784, 10)(tg.zeros(4, 1, 28, 28).flatten())


@mistake(SHAPES, "A number of features that is not the layer's", RuntimeError, "linear", "(8, 12)", "12", "10")
def _():
    nn.Linear(10, 5)(tg.zeros(8, 12))


@mistake(SHAPES, "A weight of one's own, the wrong way round", RuntimeError, "linear", "(8, 3)", "(3, 5)", ".T")
def _():
    F.linear(tg.zeros(8, 3), tg.zeros(3, 5))


@mistake(SHAPES, "The output of an LSTM, a tuple, given to the next layer", TypeError, "linear", "tuple", "output, _ =")
def _():
    net = nn.Sequential(nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2))
    net(tg.zeros(2, 7, 3))


@mistake(SHAPES, "An LSTM called, its output used as a tensor", TypeError, "relu", "tuple", "output, _ =")
def _():
    F.relu(nn.LSTM(3, 5)(tg.zeros(7, 2, 3)))


@mistake(SHAPES, "Sequences with another number of features than the LSTM has", RuntimeError, "LSTM", "(2, 7, 4)", "3")
def _():
    nn.LSTM(3, 5)(tg.zeros(2, 7, 4))


@mistake(
    SHAPES,
    "A first state of another batch than the input",
    RuntimeError,
    "GRU",
    "(1, 4, 5)",
    "(1, 2, 5)",
    "batch_first",
)
def _():
    nn.GRU(3, 5)(tg.zeros(7, 2, 3), tg.zeros(1, 4, 5))


@mistake(SHAPES, "An LSTM with one state, where it has two", RuntimeError, "LSTM", "(h_0, c_0)")
def _():
    nn.LSTM(3, 5)(tg.zeros(7, 2, 3), tg.zeros(1, 2, 5))


@mistake(
    SHAPES,
    "Grey pictures for a layer that expects colours",
    RuntimeError,
    "conv2d",
    "(8, 3, 3, 3)",
    "1 channels",
    "expects 3",
)
def _():
    nn.Conv2d(3, 8, 3)(tg.zeros(4, 1, 8, 8))


@mistake(
    SHAPES,
    "Pictures as one row of numbers, given to a convolution",
    RuntimeError,
    "conv2d",
    "(4, 784)",
    "(N, C, H, W)",
    "reshape",
)
def _():
    nn.Conv2d(1, 8, 3)(tg.zeros(4, 784))


@mistake(SHAPES, "A kernel larger than the picture", RuntimeError, "conv2d", "(1, 1, 2, 2)", "5", "padding")
def _():
    nn.Conv2d(1, 1, 5)(tg.zeros(1, 1, 2, 2))


@mistake(SHAPES, "One pooling too many", RuntimeError, "max_pool2d", "(1, 4, 1, 1)", "2")
def _():
    net = nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d(2))
    net(tg.zeros(1, 4, 4, 4))


@mistake(SHAPES, "Channels that the groups do not divide", ValueError, "Conv2d", "3", "groups", "2")
def _():
    nn.Conv2d(3, 4, 3, groups=2)


@mistake(SHAPES, "BatchNorm2d of vectors", ValueError, "BatchNorm2d", "(4, 8)", "BatchNorm1d")
def _():
    nn.BatchNorm2d(8)(tg.zeros(4, 8))


@mistake(SHAPES, "BatchNorm1d of pictures", ValueError, "BatchNorm1d", "(4, 8, 5, 5)", "BatchNorm2d")
def _():
    nn.BatchNorm1d(8)(tg.zeros(4, 8, 5, 5))


@mistake(SHAPES, "Another number of channels than the BatchNorm has", RuntimeError, "batch_norm", "(4, 16)", "16", "8")
def _():
    nn.BatchNorm1d(8)(tg.zeros(4, 16))


@mistake(
    SHAPES,
    "A batch of one example, with BatchNorm in training",
    ValueError,
    "batch_norm",
    "(1, 8)",
    "eval()",
    "drop_last",
)
def _():
    nn.BatchNorm1d(8)(tg.zeros(1, 8))


@mistake(SHAPES, "LayerNorm of other sizes than the last ones", RuntimeError, "layer_norm", "(4, 8)", "(6,)")
def _():
    nn.LayerNorm(6)(tg.zeros(4, 8))


@mistake(SHAPES, "GroupNorm whose groups do not divide the channels", ValueError, "GroupNorm", "6", "4")
def _():
    nn.GroupNorm(4, 6)


@mistake(SHAPES, "A word beyond the vocabulary", IndexError, "embedding", "10", "0 to 9", "num_embeddings")
def _():
    nn.Embedding(10, 3)(tg.tensor([1, 10]))


@mistake(SHAPES, "Attention whose heads do not divide the size", ValueError, "MultiheadAttention", "10", "3")
def _():
    nn.MultiheadAttention(10, 3)


@mistake(
    SHAPES,
    "Matrices that do not fit",
    RuntimeError,
    "matmul",
    "(2, 3)",
    "the last dim of the first is 3",
    "of the second is 2",
    ".mT",
)
def _():
    tg.zeros(2, 3) @ tg.zeros(2, 3)


@mistake(SHAPES, "mm of batches", RuntimeError, "mm", "(5, 2, 3)", "2 dims", "matmul")
def _():
    tg.mm(tg.zeros(5, 2, 3), tg.zeros(5, 3, 2))


@mistake(SHAPES, "bmm of matrices", RuntimeError, "bmm", "(2, 3)", "3 dims", "matmul")
def _():
    tg.bmm(tg.zeros(2, 3), tg.zeros(3, 2))


@mistake(SHAPES, "Adding what cannot be broadcast", RuntimeError, "add", "(4, 3)", "(4,)", "from the right")
def _():
    tg.zeros(4, 3) + tg.zeros(4)


@mistake(SHAPES, "Adding in place what would make it larger", RuntimeError, "add_", "(3,)", "(4, 3)")
def _():
    x = tg.zeros(3)
    x += tg.zeros(4, 3)


@mistake(SHAPES, "cat of tensors that differ in another dim", RuntimeError, "cat", "(2, 3)", "(2, 4)", "dim")
def _():
    tg.cat([tg.zeros(2, 3), tg.zeros(2, 4)], dim=0)


@mistake(SHAPES, "cat of two tensors, without the brackets", TypeError, "cat", "Tensor", "[a, b]")
def _():
    tg.cat(tg.zeros(2, 3), tg.zeros(2, 3))


@mistake(SHAPES, "stack of tensors of different lengths", RuntimeError, "stack", "(3,)", "(4,)", "pad_sequence")
def _():
    tg.stack([tg.zeros(3), tg.zeros(4)])


@mistake(SHAPES, "view with another number of elements", RuntimeError, "view", "(4, 3)", "12", "(5, -1)")
def _():
    tg.zeros(4, 3).view(5, -1)


@mistake(SHAPES, "reshape with two sizes to be worked out", RuntimeError, "reshape", "(-1, -1)", "-1")
def _():
    tg.zeros(4, 3).reshape(-1, -1)


@mistake(SHAPES, "view of a transposed tensor", RuntimeError, "view", "(3, 4)", "reshape", "contiguous()")
def _():
    tg.zeros(4, 3).t().view(12)


@mistake(SHAPES, "permute with too few dims", RuntimeError, "permute", "(2, 0, 1)", "(5, 8, 8, 3)")
def _():
    tg.zeros(5, 8, 8, 3).permute(2, 0, 1)


@mistake(SHAPES, "t() of more than a matrix", RuntimeError, "t:", "(2, 3, 4)", "transpose")
def _():
    tg.zeros(2, 3, 4).t()


@mistake(SHAPES, "A dim that is not there", IndexError, "sum", "dim 2", "-2 to 1")
def _():
    tg.zeros(4, 3).sum(dim=2)


@mistake(SHAPES, "expand to a size that is not 1", RuntimeError, "expand", "(3, 1)", "(4, 5)")
def _():
    tg.zeros(3, 1).expand(4, 5)


@mistake(SHAPES, "A batch written into a row", RuntimeError, "setitem", "(4, 3)", "(3,)")
def _():
    x = tg.zeros(5, 3)
    x[0] = tg.ones(4, 3)


@mistake(SHAPES, "A mask of another shape", IndexError, "getitem", "(3,)", "(4, 3)")
def _():
    x = tg.zeros(4, 3)
    x[tg.tensor([True, False, True])]


@mistake(SHAPES, "An index beyond the end", IndexError, "getitem", "4", "4")
def _():
    tg.zeros(4, 3)[4]


@mistake(SHAPES, "einsum whose letters do not fit", RuntimeError, "einsum", "j", "3", "4")
def _():
    tg.einsum("ij,jk->ik", tg.zeros(2, 3), tg.zeros(4, 5))


@mistake(SHAPES, "Rows of different lengths in one tensor", ValueError, "tensor", "different lengths", "pad_sequence")
def _():
    tg.tensor([[1.0, 2.0], [3.0]])


@mistake(SHAPES, "item() of a whole batch", RuntimeError, "item", "(4,)", ".mean()", ".tolist()")
def _():
    tg.zeros(4).item()


@mistake(SHAPES, "A tensor where a condition is expected", RuntimeError, "bool", "(4,)", ".any()", ".all()")
def _():
    if tg.zeros(4) > 0:
        pass


@mistake(
    SHAPES, "Interpolation to one size of a batch without channels", ValueError, "interpolate", "2 dims", "(N, C, H, W)"
)
def _():
    F.interpolate(tg.zeros(8, 8), size=(4, 4), mode="bilinear")


@mistake(
    SHAPES,
    "An image of NumPy, channels last, and a mean for each channel",
    ValueError,
    "normalize",
    "(8, 8, 3)",
    "(..., C, H, W)",
    "ToTensor()",
)
def _():
    from tinygrad_cnn import transforms

    transforms.Normalize([0.5] * 3, [0.5] * 3)(tg.tensor(np.zeros((8, 8, 3), "float32")))
