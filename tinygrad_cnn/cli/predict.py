"""`tinygrad-cnn predict`: which digit is in a picture?"""

import argparse

import numpy as np

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.images import ImageError, read_digit
from tinygrad_cnn.cli.models import load_model, normalised
from tinygrad_cnn.io import ModelFileError
from tinygrad_cnn.tensor import Tensor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="pictures of one digit each, of any size")
    parser.add_argument("--model", required=True, metavar="MODEL", help="a model that `train --save MODEL` wrote")


def run(args: argparse.Namespace) -> int:
    """Classify each picture; the exit status is 2 if one could not be read, after the others were answered."""
    try:
        net = load_model(args.model)
    except ModelFileError as error:
        return fail(str(error))
    status = 0
    for path in args.files:
        try:
            digit = read_digit(path)
        except ImageError as error:
            status = fail(str(error))
            continue
        with no_grad():
            (probabilities,) = np.asarray(net(Tensor(normalised(digit[None]))).softmax(1))
        print(f"{path}: {probabilities.argmax()}  ({probabilities.max():.1%})")
        print("   " + "  ".join(f"{k}: {p:.1%}" for k, p in enumerate(probabilities)))
    return status
