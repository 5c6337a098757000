"""Losses and labels: what they are given, in which order, of which kind."""

import numpy as np

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn
from tinygrad_cnn.nn import functional as F

LABELS = "The loss refuses the labels"


@mistake(LABELS, "One-hot integers for cross-entropy", RuntimeError, "cross_entropy", "(2, 3)", "argmax(1)", ".float()")
def _():
    F.cross_entropy(tg.zeros(2, 3), tg.tensor([[0, 1, 0], [1, 0, 0]]))


@mistake(LABELS, "Labels as a column", RuntimeError, "cross_entropy", "(4, 3)", "(4, 1)", "squeeze(1)")
def _():
    F.cross_entropy(tg.zeros(4, 3), tg.zeros(4, 1).long())


@mistake(LABELS, "Labels as floats", RuntimeError, "cross_entropy", "float32", ".long()")
def _():
    F.cross_entropy(tg.zeros(4, 3), tg.tensor([0.0, 1.0, 2.0, 0.0]))


@mistake(LABELS, "Labels that count from 1", IndexError, "cross_entropy", "3", "0 to 2", "from 0")
def _():
    F.cross_entropy(tg.zeros(3, 3), tg.tensor([1, 2, 3]))


@mistake(LABELS, "-1 for what has no label", IndexError, "cross_entropy", "-1", "ignore_index=-1")
def _():
    F.cross_entropy(tg.zeros(3, 3), tg.tensor([1, 2, -1]))


@mistake(LABELS, "Labels and predictions exchanged", RuntimeError, "cross_entropy", "input", "target", "first")
def _():
    F.cross_entropy(tg.tensor([0, 1]), tg.zeros(2, 3))


@mistake(LABELS, "Predictions of another batch than the labels", RuntimeError, "cross_entropy", "(32, 10)", "(31,)")
def _():
    F.cross_entropy(tg.zeros(32, 10), tg.zeros(31).long())


@mistake(LABELS, "argmax before the loss", RuntimeError, "cross_entropy", "int64", "logits", "argmax")
def _():
    logits = tg.zeros(4, 3, requires_grad=True)
    F.cross_entropy(logits.argmax(1), tg.tensor([0, 1, 2, 0]))


@mistake(
    LABELS,
    "A mask of pixels with a channel of its own",
    RuntimeError,
    "cross_entropy",
    "(2, 5, 8, 8)",
    "(2, 1, 8, 8)",
    "squeeze(1)",
)
def _():
    F.cross_entropy(tg.zeros(2, 5, 8, 8), tg.zeros(2, 1, 8, 8).long())


@mistake(LABELS, "Weights for another number of classes", RuntimeError, "cross_entropy", "(2,)", "3 classes")
def _():
    F.cross_entropy(tg.zeros(4, 3), tg.zeros(4).long(), weight=tg.ones(2))


@mistake(LABELS, "One-hot floats for nll_loss", RuntimeError, "nll_loss", "(2, 3)", "argmax(1)")
def _():
    F.nll_loss(tg.zeros(2, 3).log_softmax(1), tg.eye(3)[:2])


@mistake(
    LABELS,
    "Logits for binary_cross_entropy",
    RuntimeError,
    "binary_cross_entropy",
    "-2.0 to 3.0",
    "sigmoid",
    "binary_cross_entropy_with_logits",
)
def _():
    F.binary_cross_entropy(tg.tensor([-2.0, 3.0]), tg.tensor([0.0, 1.0]))


@mistake(
    LABELS,
    "Labels without the column that the network gives",
    ValueError,
    "binary_cross_entropy_with_logits",
    "(4, 1)",
    "(4,)",
    "squeeze(1)",
)
def _():
    F.binary_cross_entropy_with_logits(tg.zeros(4, 1), tg.zeros(4))


@mistake(LABELS, "MSE of shapes that do not fit", RuntimeError, "mse_loss", "(4, 3)", "(4, 2)")
def _():
    F.mse_loss(tg.zeros(4, 3), tg.zeros(4, 2))


@mistake(LABELS, "Class labels for an MSE of several outputs", RuntimeError, "mse_loss", "(4, 3)", "(4,)", "one_hot")
def _():
    F.mse_loss(tg.zeros(4, 3), tg.tensor([0, 1, 2, 0]))


@mistake(LABELS, "The loss made instead of called", TypeError, "CrossEntropyLoss", "CrossEntropyLoss()(")
def _():
    nn.CrossEntropyLoss(tg.zeros(4, 3), tg.zeros(4).long())


@mistake(LABELS, "MSE made instead of called", TypeError, "MSELoss", "MSELoss()(")
def _():
    nn.MSELoss(tg.zeros(4, 3), tg.zeros(4, 3))


@mistake(LABELS, "The class of a loss, never made", TypeError, "L1Loss", "L1Loss()(")
def _():
    criterion = nn.L1Loss
    criterion(tg.zeros(4), tg.zeros(4))


@mistake(LABELS, "A reduction that is not there", ValueError, "mse_loss", "'average'", "mean", "sum", "none")
def _():
    F.mse_loss(tg.zeros(4), tg.zeros(4), reduction="average")


@mistake(LABELS, "one_hot of floats", RuntimeError, "one_hot", "float32", ".long()")
def _():
    F.one_hot(tg.tensor([0.0, 1.0]))


@mistake(LABELS, "one_hot with too few classes", RuntimeError, "one_hot", "2", "num_classes")
def _():
    F.one_hot(tg.tensor([0, 2]), num_classes=2)


@mistake(LABELS, "Labels of NumPy's strings", TypeError, "Tensor", "<U3", "number")
def _():
    tg.tensor(np.array(["cat", "dog"]))
