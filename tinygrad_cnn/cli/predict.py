"""`tinygrad-cnn predict`: which digit is in a picture?"""

import argparse
import os

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.display import printable
from tinygrad_cnn.io import ModelFileError
from tinygrad_cnn.teach.pictures import ImageError, pictures_in
from tinygrad_cnn.teach.prediction import answers, ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="pictures of one digit each, or folders of such")
    parser.add_argument("--model", required=True, metavar="MODEL", help="a model that `train --save MODEL` wrote")


def run(args: argparse.Namespace) -> int:
    """Classify each picture; the exit status is 2 if one could not be read, after the others were answered."""
    try:
        net, how = ready(args.model)
    except ModelFileError as error:
        return fail(str(error))
    status = 0
    for given in args.files:
        try:
            paths = pictures_in(given) if os.path.isdir(given) else [given]
        except ImageError as error:
            status = fail(str(error))
            continue
        for path in paths:
            try:
                (answer,) = answers(net, how, str(path))
            except (ImageError, ValueError) as error:
                status = fail(str(error))
                continue
            print(f"{printable(path)}: {answer.label}  ({answer.probability:.1%})")
            print("   " + "  ".join(f"{name}: {p:.1%}" for name, p in answer.probabilities.items()))
    return status
