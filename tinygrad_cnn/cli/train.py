"""`tinygrad-cnn train`: a network learns MNIST."""

import argparse
import sys
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import random
from tinygrad_cnn.cli.display import display_for, fail
from tinygrad_cnn.cli.endings import carry_out
from tinygrad_cnn.cli.options import SEEDS, number, whole
from tinygrad_cnn.cli.outputs import OutputError, cannot, check_outputs, is_stdout, told, told_beside
from tinygrad_cnn.cli.stopping import Stops
from tinygrad_cnn.cli.training import Keeper, Recipe, Training
from tinygrad_cnn.datasets import DatasetError, Digits, load_full, load_sample
from tinygrad_cnn.files import check_writable, remove_strays
from tinygrad_cnn.io.checkpoints import Checkpoint, checkpoints, newest_checkpoint
from tinygrad_cnn.io.errors import ModelFileError
from tinygrad_cnn.kernels.chosen import get_kernels, set_kernels
from tinygrad_cnn.kernels.threads import get_num_threads, set_num_threads
from tinygrad_cnn.teach.networks import MODELS

RECIPES = {
    "lenet": Recipe(epochs=8, batch_size=32, optimizer="adamw", lr=4e-3, shift=2, anneal=True),
    "article": Recipe(epochs=4, batch_size=8, optimizer="sgd", lr=0.02, shift=0, anneal=True),
}
FULL_LENET = Recipe(epochs=8, batch_size=64, optimizer="adamw", lr=3e-3, shift=2, anneal=True)

MOST_THREADS = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--model", choices=sorted(MODELS), default="lenet", help="the network (default: lenet)")
    parser.add_argument("--full", action="store_true", help="train on all 60,000 images, downloaded once")
    parser.add_argument("--data", metavar="DIR", help="read the four MNIST files from this folder (implies --full)")
    parser.add_argument("--epochs", type=whole(1, 1_000_000), help="passes over the images")
    parser.add_argument("--batch-size", type=whole(1, 1_000_000), help="images a step")
    parser.add_argument("--lr", type=number(1e-12, 1e6), help="learning rate")
    parser.add_argument("--optimizer", choices=["sgd", "adam", "adamw"], help="sgd is the plain one")
    parser.add_argument("--seed", type=whole(0, SEEDS), default=0, help="the same gives the same weights (default: 0)")
    parser.add_argument("--save", metavar="FILE", help="write the trained model here; - for standard output")
    parser.add_argument("--checkpoint", metavar="FOLDER", help="keep what is needed to go on after a kill here")
    parser.add_argument("--every", type=whole(1, 1_000_000_000), metavar="STEPS", help="from checkpoint to checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    parser.add_argument("--threads", type=whole(1, MOST_THREADS), help="threads of the linear algebra")
    parser.add_argument(
        "--kernels",
        choices=["numpy", "numba", "definition"],
        help="numba: compiled loops, of the extra fast; definition: formulas to read, slow",
    )
    parser.add_argument("--json", metavar="FILE", help="write a record of the run here; - for standard output")
    parser.add_argument("--report", metavar="FILE", help="write a page with curves, filters, maps and mistakes here")


def run(args: argparse.Namespace) -> int:
    """Train, report, save; the exit status."""
    outputs = {f"--{name}": getattr(args, name) for name in ("save", "json", "report")}
    check_outputs(outputs, {}, "nothing was trained")
    for path in outputs.values():
        if path is not None and not is_stdout(path):
            remove_strays(Path(path).parent, seconds=60)  # those of a process that still writes are younger
    with told_beside(*outputs.values()):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    full = args.full or args.data is not None
    try:
        found = _checkpoint(args)
        digits = load_full(args.data, progress=_download_progress) if full else load_sample()
        if args.threads is not None:
            set_num_threads(args.threads)
        if args.kernels is not None:
            set_kernels(args.kernels)
    except (DatasetError, ModelFileError, ImportError) as error:
        return fail(str(error))
    recipe = _recipe(args, full)
    random.manual_seed(args.seed)
    net = MODELS[args.model]()
    print(
        f"{args.model}: {sum(p.numel() for p in net.parameters()):,} parameters, {recipe.epochs} epochs, "
        f"seed {args.seed}\n"
        f"{len(digits.train_labels):,} training and {len(digits.test_labels):,} test images",
        flush=True,
    )
    with Stops() as stops:
        keeper = _keeper(args, recipe, digits)
        training = Training(net, recipe, digits, display_for(sys.stdout), stops, keeper)
        if found is not None and keeper is not None:
            _check_same_run(found, keeper.run)
            training.go_on_from(found)
            print(f"going on from {told(found.path)}, after {training.epochs_done} whole epochs", flush=True)
        return carry_out(args, training, stops)


def _checkpoint(args: argparse.Namespace) -> Checkpoint | None:
    """The one to go on from, if there is one; OutputError if the options do not fit what is there."""
    if args.checkpoint is None:
        if args.resume or args.every is not None:
            raise OutputError("--resume and --every need --checkpoint FOLDER; nothing was trained")
        return None
    if not args.checkpoint or is_stdout(args.checkpoint):
        raise OutputError("--checkpoint needs the name of a folder; nothing was trained")
    folder = Path(args.checkpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder / "checkpoint")
    except OSError as error:
        raise OutputError(f"{cannot('--checkpoint', folder, error)}; nothing was trained") from None
    if not args.resume:
        if checkpoints(folder):
            raise OutputError(f"--checkpoint {told(folder)} holds a run; give --resume to go on, or another folder")
        return None
    found = newest_checkpoint(folder)
    if found is not None and found.damaged:
        print(f"tinygrad-cnn: {found.said()}", file=sys.stderr)
    return found


def _keeper(args: argparse.Namespace, recipe: Recipe, digits: Digits) -> Keeper | None:
    if args.checkpoint is None:
        return None
    data = 0
    for array in digits:
        data = zlib.crc32(np.ascontiguousarray(array).data, data)
    about = {"model": args.model, "seed": args.seed, **asdict(recipe), "data": f"{data:08x}"}
    how = {"kernels": get_kernels(), "threads": get_num_threads()}
    return Keeper(Path(args.checkpoint), args.every, {**about, **how}, fail)


def _check_same_run(found: Checkpoint, run: dict[str, Any]) -> None:
    """OutputError if the checkpoint is of a run with other options; a note if only its last bits may differ."""
    before = found.parts.get("run")
    if not isinstance(before, dict):
        raise OutputError(f"{told(found.path)}: was not made by train; give another folder")
    differ = [f"{name} {before.get(name)}, not {value}" for name, value in run.items() if before.get(name) != value]
    only_how = [text for text in differ if text.split()[0] in ("kernels", "threads")]
    if len(differ) > len(only_how):
        said = ", ".join(text for text in differ if text not in only_how)
        raise OutputError(f"{told(found.path)}: the run has {said}; give the options that it was begun with")
    if only_how:
        print(f"tinygrad-cnn: the run had {', '.join(only_how)}: its numbers may differ a little", file=sys.stderr)


def _recipe(args: argparse.Namespace, full: bool) -> Recipe:
    base = FULL_LENET if full and args.model == "lenet" else RECIPES[args.model]
    optimizer = args.optimizer or base.optimizer
    usual = {"sgd": 0.02, "adam": 3e-3, "adamw": 3e-3}
    return Recipe(
        epochs=args.epochs or base.epochs,
        batch_size=args.batch_size or base.batch_size,
        optimizer=optimizer,
        lr=args.lr or (base.lr if optimizer == base.optimizer else usual[optimizer]),
        shift=base.shift,
        anneal=base.anneal,
    )


def _download_progress(name: str, received: int, total: int) -> None:
    if sys.stderr.isatty():
        share = f"{received / total:.0%}" if total else f"{received / 1e6:.1f} MB"
        print(
            f"\rdownloading {name}: {share}",
            end="\n" if received == total else "",
            file=sys.stderr,
            flush=True,
        )
