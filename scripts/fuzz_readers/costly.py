"""Files of any size that hold one costly thing again and again: what time and memory in proportion to a file means."""

import json
import struct
from collections.abc import Callable, Iterator

from scripts.fuzz_readers.found import ABOUT, cifar, safetensors, text, torch_file, zipped

PIECES = {
    "None": b"N",
    "empty dicts": b"}",
    "empty lists": b"]",
    "sets": b"\x8f",
    "tuples of one": b"N\x85",
    "marks and tuples": b"(t",
    "marks and dicts": b"(d",
    "kept": b"N\x94",
    "small numbers": b"K\x01",
    "numbers": b"J\x01\x02\x03\x04",
    "floats": b"G" + bytes(8),
    "texts": b"X\x01\x00\x00\x00a",
    "texts beyond Latin": b"X\x04\x00\x00\x00" + "😀".encode(),
    "lists of one": b"]Na",
    "dicts of one": b"}K\x01Ns",
    "OrderedDicts": b"h\x00)R",
    "Sizes": b"h\x01)\x85R",
    "sets of lists": b"h\x02]\x85R",
}
"""What a pickle may repeat; before, it keeps some names."""
NAMES = b"ccollections\nOrderedDict\nq\x00ctorch\nSize\nq\x01cbuiltins\nset\nq\x02"


def pickles(size: int) -> Iterator[tuple[str, bytes]]:
    """PyTorch's files, each of one piece again and again."""
    for name, piece in PIECES.items():
        first = NAMES if b"h" in piece else b""
        yield (
            f"load: {name}",
            torch_file(first + b"(" + piece * (size // len(piece)) + b"l" + b"\x85" * (3 * bool(first))),
        )
    keys = b"".join(text(f"{k:x}") + b"N" for k in range(size // 12))
    yield "load: keys", torch_file(b"}(" + keys + b"u")
    yield "cifar: keys", cifar(b"}(" + keys + b"u")


JSON = {
    "lists": "[],",
    "objects": '{"list":0},',
    "texts": '"",',
    "numbers": "0,",
    "long numbers": "1234567,",
    "floats": "0.5,",
    "tuples": '{"tuple":[]},',
    "sets": '{"set":[]},',
    "floats by name": '{"float":"nan"},',
    "bytes": '{"bytes":""},',
    "emoji": '"\\ud83d\\ude00",',
}


def structures(size: int) -> Iterator[tuple[str, bytes]]:
    """Files of the own format, each of one piece of JSON again and again."""
    head = '{"format": "tinygrad_cnn 2", "tensors": [], "arrays": [], "value": ['
    for name, piece in JSON.items():
        said = head + piece * (size // len(piece)) + "0]}"
        yield f"load: JSON of {name}", zipped({"structure.json": said.encode()})
    forms = json.dumps([{"dtype": "|u1", "shape": [], "storage": 0, "offset": 0, "strides": []}] * (size // 70))
    said = f'{{"format": "tinygrad_cnn 2", "tensors": [], "arrays": {forms}, "value": 0}}'
    yield "load: arrays of one storage", zipped({"structure.json": said.encode(), "storages/0": b"x"})
    deep = '{"tuple":[' * 490 + "]}" * 490
    said = head + f"{deep}," * (size // len(deep)) + "0]}"
    yield "load: deep tuples", zipped({"structure.json": said.encode()})


def zips(size: int) -> Iterator[tuple[str, bytes]]:
    """Zips of many members, and .safetensors of many tensors."""
    empty = {f"{k:x}": b"" for k in range(size // 90)}
    yield "load: members", zipped(empty)
    yield "npz: members that are no arrays", zipped({"__about__.npy": ABOUT, **empty})
    arrays = {f"{k:x}.npy": ABOUT.replace(b"'<U2'", b"'|u1'")[:-7] for k in range(size // 240)}
    yield "npz: arrays", zipped({"__about__.npy": ABOUT, **arrays})
    form = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    yield "safetensors: tensors", safetensors({f"{k:x}": form for k in range(size // 60)})
    yield (
        "safetensors: one tensor",
        safetensors({"a": {**form, "shape": [size], "data_offsets": [0, size]}}, bytes(size)),
    )
    yield "idx: labels", struct.pack(">II", 2049, size) + bytes(size)


Maker = Callable[[int], Iterator[tuple[str, bytes]]]
MAKERS: tuple[Maker, ...] = (pickles, structures, zips)
