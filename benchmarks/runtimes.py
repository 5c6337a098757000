"""`python -m benchmarks runtimes`: inference beside onnxruntime, and the digits beside scikit-learn's network.

onnxruntime runs the network that PyTorch exported, with the same parameters. Ratios are its time over ours, above 1
where we are faster; ours runs as it is, and played back by `compile`.
"""

import argparse
import io
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from benchmarks import beside, features
from benchmarks.limits import SETS
from benchmarks.measure import alternately
from benchmarks.networks import NETWORKS, work
from benchmarks.peers import give, model_of
from benchmarks.programs import PROGRAMS
from tinygrad_cnn.datasets import load_sample

Infer = Callable[[], Any]
"""Logits, as an array."""


def inference(lib: Any, name: str, batch: int) -> tuple[Any, Callable[..., Any], list[Any]]:
    """A network of the suite in evaluation mode, what it infers, and from which tensors, of a library."""
    if name in NETWORKS:
        given = work(name, batch)
        model, parameters, inputs = model_of(lib, given.layers), given.parameters, [given.images]
        infer: Callable[..., Any] = model
    else:
        program = PROGRAMS[name][0](lib, batch)
        model, infer, inputs = program.model, program.infer, list(program.inputs)
        parameters = beside.parameters(name, batch)
    give(lib, model, parameters)
    model.eval()
    return model, infer, [lib.tensor(a) for a in inputs]


def ours(name: str, batch: int, kernels: str, compiled: bool) -> Infer:
    """This framework."""
    _, call, inputs = inference(tg, name, batch)
    call = tg.compile(call) if compiled else call

    def infer() -> Any:
        tg.set_kernels(kernels)
        with tg.no_grad():
            return call(*inputs).numpy()

    return infer


def onnxruntime_of(name: str, batch: int, threads: int) -> Infer:
    """onnxruntime, of PyTorch's network as that exports it."""
    import onnxruntime
    import torch

    model, infer, inputs = inference(torch, name, batch)

    whole = torch.nn.Module()
    whole.model, whole.forward = model.eval(), infer
    file, names = io.BytesIO(), [f"input{k}" for k in range(len(inputs))]
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # where it fails, it prints the whole graph
        warnings.simplefilter("ignore")
        torch.onnx.export(whole.eval(), tuple(inputs), file, input_names=names, dynamo=False, opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    arrays = {name: a.numpy() for name, a in zip(names, inputs, strict=True)}
    feed = {slot.name: arrays[slot.name] for slot in session.get_inputs()}  # labels are none
    return lambda: session.run(None, feed)[0]


def compare(name: str, batch: int, threads: int, least: int, seconds: float) -> dict[str, Any]:
    """Ratios of onnxruntime's time to ours; the logits of all agree."""
    tg.set_num_threads(threads)
    runs = {
        f"{kit}{', compile' if compiled else ''}": ours(name, batch, kit, compiled)
        for kit in SETS
        for compiled in (False, True)
    }
    runs["onnxruntime"] = onnxruntime_of(name, batch, threads)
    wanted = runs["onnxruntime"]()
    for kind, infer in runs.items():
        np.testing.assert_allclose(
            infer(), wanted, rtol=2e-3, atol=2e-4 * np.abs(wanted).max(), err_msg=f"{name}: {kind}"
        )
    times = alternately(runs, least=least, most=200, seconds=seconds)
    rival = times["onnxruntime"]["median"]
    ratios = {kind: rival / t["median"] for kind, t in times.items() if kind != "onnxruntime"}
    return {"name": name, "batch": batch, "threads": threads, "times": times, "ratios": ratios}


def digits(epochs: int) -> list[dict[str, Any]]:
    """784-100-10 on the embedded digits by Adam, batches of 64: seconds and the share of the test digits that is right.

    scikit-learn's `MLPClassifier` as it comes, but for the sizes; ours written out, with each set of kernels,
    compiled before.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    digits = load_sample()
    train, test = (a.reshape(len(a), -1).astype(np.float32) for a in (digits.train_images, digits.test_images))
    rows = []
    for kit in SETS:
        tg.set_kernels(kit)
        tg.manual_seed(0)
        model = tg.nn.Sequential(tg.nn.Linear(784, 100), tg.nn.ReLU(), tg.nn.Linear(100, 10))
        optimiser = tg.optim.Adam(model.parameters())
        loader = tg.utils.data.DataLoader(
            tg.utils.data.TensorDataset(tg.tensor(train), tg.tensor(digits.train_labels)), batch_size=64, shuffle=True
        )
        tg.nn.functional.cross_entropy(model(tg.tensor(train[:64])), tg.tensor(digits.train_labels[:64])).backward()
        start = time.perf_counter()
        for _ in range(epochs):
            for x, t in loader:
                optimiser.zero_grad()
                tg.nn.functional.cross_entropy(model(x), t).backward()
                optimiser.step()
        seconds = time.perf_counter() - start
        with tg.no_grad():
            right = float(np.mean(model(tg.tensor(test)).argmax(1).numpy() == digits.test_labels))
        rows.append({"name": kit, "seconds": seconds, "right": right})
    rival = MLPClassifier((100,), batch_size=64, max_iter=epochs, random_state=0, tol=0.0, n_iter_no_change=epochs)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        rival.fit(train, digits.train_labels)
    seconds = time.perf_counter() - start
    rows.append({"name": "scikit-learn", "seconds": seconds, "right": float(rival.score(test, digits.test_labels))})
    return rows


def main(arguments: list[str]) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks runtimes", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks; without any, all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--least", type=int, default=9)
    parser.add_argument("--features", default="own", help="avx2: as on a processor without AVX-512")
    chosen = parser.parse_args(arguments)
    features.restrict_to(chosen.features)
    found: dict[str, list[float]] = {}
    for name in chosen.names or [*NETWORKS, *PROGRAMS]:
        for batch in (1, 64) if name in NETWORKS else (PROGRAMS[name][1][0], *PROGRAMS[name][1][1:][-1:]):
            try:
                row = compare(name, batch, chosen.threads, chosen.least, 0.3)
            except Exception as error:  # what cannot be exported is said
                print(f"{name} {batch}: {type(error).__name__}: {str(error).splitlines()[0][:150]}", flush=True)
                continue
            print(f"{name} {batch}: " + ", ".join(f"{k} {r:.2f}" for k, r in row["ratios"].items()), flush=True)
            for kind, ratio in row["ratios"].items():
                found.setdefault(kind, []).append(ratio)
    for kind, ratios in found.items():
        print(f"{kind}: geometric mean {beside.geometric_mean(ratios):.2f}, least {min(ratios):.2f} of {len(ratios)}")
    if not chosen.names:
        for row in digits(8):
            print(f"digits, 8 epochs: {row['name']} {row['seconds']:.2f} s, {row['right']:.1%} right")
