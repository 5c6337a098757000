"""Good files of every format, small ones: what the fuzzer changes."""

import gzip
import io
import pickle
from collections import Counter, OrderedDict

import numpy as np

import tinygrad_cnn as tg
from scripts.fuzz_readers import found
from tinygrad_cnn import nn, program

MOST = 6000
"""The bytes of the largest of `found`'s files that is a seed, too."""


def saved(value: object) -> bytes:
    """What `save` writes."""
    buffer = io.BytesIO()
    tg.save(value, buffer)
    return buffer.getvalue()


def own() -> list[bytes]:
    """Files of the own format: of values of every kind, shared memory, Modules, a program."""
    x, net = tg.arange(6.0).reshape(2, 3), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU())
    values = {"a": [1, -5, 2.5, True, None, "é"], "b": (b"bytes", {1, 2}, frozenset("x")), 3: Counter("aab")}
    return [
        saved(values),
        saved(OrderedDict(x=x, t=x.T, row=x[0], again=x, size=x.shape, kind=tg.float16, where=tg.device("cpu"))),
        saved([nn.Parameter(x), np.float32(3), np.arange(3), tg.tensor([True, False])]),
        saved({"state_dict": net.state_dict(), "epoch": 3, "nan": float("nan")}),
        saved(net),
        saved(nn.Conv2d(1, 1, 2)),
        saved(program.record(lambda a: (a * 2).sum()[None][0:1].relu(), x)),
    ]


def of_pytorch() -> list[bytes]:
    """Files of PyTorch's format: tensors, and plain values as each protocol writes them."""
    values = [{"a": [1, 2**40, 2.5, True, None, ("x", 1)], 3: {}}, OrderedDict(a=1), Counter("ab"), {1, "2"}, b"bytes"]
    plain = [pickle.dumps(value, protocol)[:-1] for value in values for protocol in (0, 2, 4)]
    number = found.tensor(b"K\x02K\x01\x86", b"K\x01K\x01\x86", count=2)
    integer = found.tensor(b"K\x01\x85", b"K\x01\x85", count=1, kind=b"LongStorage")
    pair = b"}(" + found.text("weight") + number + found.text("n") + integer + b"u"
    twice = b"](" + number + b"q\x00h\x00" + number + b"e"
    parameter = b"ctorch._utils\n_rebuild_parameter\n" + number + b"\x88ccollections\nOrderedDict\n)R\x87R"
    named = b"ccollections\nOrderedDict\n)R(" + found.text("weight") + number + b"u}" + found.text("_metadata") + b"}sb"
    numbers = np.arange(2, dtype="f4").tobytes()
    return [
        *(found.zipped({"archive/data.pkl": content + b"."}) for content in plain),
        *(found.torch_file(content, numbers) for content in (number, twice, parameter, named)),
        found.torch_file(pair, bytes(8)),
    ]


def arrays() -> list[bytes]:
    """Model files in .npz, stored and compressed."""
    values = {"w": np.arange(4, dtype="f4").reshape(2, 2), "f": np.ones((2, 3), "f8", "F"), "n": np.array(3)}
    about = np.array('{"model": "x", "classes": ["a"]}')
    files = []
    for write in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        write(buffer, __about__=about, **values)
        files.append(buffer.getvalue())
    return files


def named_tensors() -> list[bytes]:
    """.safetensors."""
    tensors = {"a": tg.tensor([1.0, 2.0]), "b": tg.tensor(3), "none": tg.zeros(0, 2), "truth": tg.tensor([True])}
    return [tg.io.safetensors.save(tensors, {"facts": '{"model": "x"}'}), tg.io.safetensors.save({})]


def models() -> list[bytes]:
    """What `predict` takes."""
    net = nn.Sequential(nn.MaxPool2d(7), nn.Flatten(), nn.Linear(16, 10))
    how = {"kind": "mnist", "side": 28, "mean": 0.5, "deviation": 0.25}
    facts = {"model": "article", "classes": ["a", "b"], "preprocessing": how}
    return [
        saved(net),
        saved({"state_dict": net, **facts}),
        saved({"state_dict": {}, **facts}),
        found.header_facts(**facts),
    ]


def idx() -> list[bytes]:
    """MNIST's files."""
    images = np.array([2051, 2, 28, 28], ">u4").tobytes() + bytes(2 * 784)
    return [images, np.array([2049, 5], ">u4").tobytes() + bytes(range(5))]


def batches() -> list[bytes]:
    """CIFAR's, as every protocol writes them, and as Python 2 does."""
    data = np.zeros((2, 3072), np.uint8)
    value = {"batch_label": "x", "labels": [3, 9], "data": data, "filenames": ["a", "b"]}
    state = b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t"
    small = found.cifar(b"}(U\x04data" + found.array_of(found.dtype_of(state)) + b"U\x06labels](K\x03eu")
    return [*(pickle.dumps(value, protocol) for protocol in (0, 2, 4, 5)), small]


def pictures() -> list[bytes]:
    """A bar in every format that is read, in several modes."""
    import PIL.Image

    grey = np.full((30, 20), 255, np.uint8)
    grey[5:25, 8:12] = 0
    files = []
    for kind, modes in (
        ("PNG", ("L", "RGBA", "P", "1")), ("JPEG", ("L", "RGB", "CMYK")), ("BMP", ("L", "RGB")), ("GIF", ("P",)),
        ("TIFF", ("L", "RGB")), ("WEBP", ("RGB",)), ("PPM", ("L", "RGB", "1")),
    ):  # fmt: skip
        for mode in modes:
            buffer = io.BytesIO()
            exif = PIL.Image.Exif()
            exif[0x0112] = 6
            extra = {"exif": exif} if kind in ("PNG", "JPEG", "TIFF", "WEBP") else {}
            PIL.Image.fromarray(grey).convert(mode).save(buffer, kind, **extra)
            files.append(buffer.getvalue())
    return [*files, b"P2 4 2 15\n0 0 15 15\n0 15 0 15\n"]


def seeds() -> dict[str, list[bytes]]:
    """The seeds of each reader."""
    torch, model, images = of_pytorch(), own(), pictures()
    made = {
        "load": [*model, *torch, *arrays()],
        "load_model": [*model, *torch[-5:], *arrays(), *named_tensors()],
        "npz": arrays(),
        "safetensors": named_tensors(),
        "idx": idx(),
        "gzip": [gzip.compress(content, mtime=0) for content in idx()] + [gzip.compress(idx()[1], mtime=0) * 2],
        "cifar": batches(),
        "picture": images,
        "pil_loader": images,
        "predict": models(),
        "predicted": images,
    }
    for reader, make in found.FOUND.values():
        content = make()
        if len(content) <= MOST:
            made[reader].append(content)
    return made
