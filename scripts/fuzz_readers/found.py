"""Files that crashed, hung, filled the memory or raised anything once, a few hundred bytes each: by reader and name.

`tests/io/test_found_files.py` gives each to its reader and measures; the fuzzer begins with them.
"""

import io
import json
import math
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

Maker = Callable[[], bytes]
FOUND: dict[str, tuple[str, Maker]] = {}
"""The name of each: its reader (see `readers.py`), and what makes its bytes."""


def found(reader: str, name: str) -> Callable[[Maker], Maker]:
    """Add a file."""

    def add(make: Maker) -> Maker:
        FOUND[f"{reader}: {name}"] = reader, make
        return make

    return add


# ---- pieces ------------------------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as out:
        for name, content in members.items():
            out.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def torch_file(program: bytes, *storages: bytes) -> bytes:
    """A file as `torch.save` writes it, with this pickle."""
    data = {f"archive/data/{k}": content for k, content in enumerate(storages)}
    return zipped({"archive/data.pkl": b"\x80\x02" + program + b".", **data})


def text(value: str) -> bytes:
    """The instruction of a pickle that pushes it."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def storage(count: int = 1, kind: bytes = b"FloatStorage", key: str = "0", location: str = "cpu") -> bytes:
    """The instructions that push a storage."""
    parts = text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(location)
    return b"(" + parts + b"J" + struct.pack("<i", count) + b"tQ"


def tensor(size: bytes, stride: bytes, flag: bytes = b"\x89", **where: object) -> bytes:
    """The instructions that push a tensor of a storage of one element."""
    args = storage(**where) + b"K\x00" + size + stride + flag + b"ccollections\nOrderedDict\n)R"  # type: ignore[arg-type]
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + args + b"tR"


EXPANDED = tensor(b"J\xff\xff\xff\x7f\x85", b"K\x00\x85")
"""2³¹-1 elements in the memory of one."""


def archive(value: object, **more: object) -> bytes:
    """A file as `save` writes it, with this structure."""
    structure = {"format": "tinygrad_cnn 2", "arrays": [], "tensors": [], "value": value, **more}
    return zipped({"structure.json": json.dumps(structure).encode(), "storages/0": bytes(8)})


def npy(header: str, body: bytes = b"") -> bytes:
    """An array's file with this header."""
    said = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(said)) + said + body


ABOUT = npy("{'descr': '<U2', 'fortran_order': False, 'shape': (), }", "{}".encode("utf-32-le"))


def npz(header: str, body: bytes = b"", compression: int = zipfile.ZIP_STORED) -> bytes:
    """A model file of one array with this header."""
    return zipped({"__about__.npy": ABOUT, "x.npy": npy(header, body)}, compression)


def safetensors(header: object, body: bytes = b"") -> bytes:
    """A file with this header."""
    said = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(said)) + said + body


def cifar(program: bytes) -> bytes:
    """A pickle of a dict."""
    return b"\x80\x02" + program + b"."


def png(width: int, height: int, packed: bytes = b"") -> bytes:
    """A picture of grey pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def dtype_of(state: bytes) -> bytes:
    """NumPy's dtype with a state of the file's own."""
    return b"cnumpy\ndtype\n" + text("u1") + b"K\x00K\x01\x87R" + state + b"b"


def array_of(dtype: bytes, shape: bytes = b"K\x01K\x04\x86", content: str = "abcd") -> bytes:
    """NumPy's array, as Python 2 pickles it."""
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return made + b"(K\x01" + shape + dtype + b"\x89" + text(content) + b"tb"


def collisions(count: int) -> list[int]:
    """Numbers that Python's dicts all put in one place."""
    return [k * sys_modulus for k in range(1, count + 1)]


sys_modulus = 2**61 - 1


# ---- PyTorch's files ---------------------------------------------------------------------------------------------


@found("load", "marks, searched from the bottom")
def _marks() -> bytes:
    return torch_file(b"(" * 20_000 + b"t" * 20_000)


@found("load", "a tuple of itself and itself, 40 times, as a key")
def _doubled_key() -> bytes:
    return torch_file(b"}" + b"K\x01\x85q\x00" + b"h\x00h\x00\x86q\x00" * 40 + b"N" + b"s")


@found("load", "a tuple of itself and itself, 40 times, in a message")
def _doubled_message() -> bytes:
    return torch_file(
        b"K\x01\x85q\x00" + b"h\x00h\x00\x86q\x00" * 40 + b"ctorch\nFloatStorage\n" + b"h\x00" * 3 + b"(tQ"
    )


@found("load", "the same as the kind of a persistent object")
def _doubled_kind() -> bytes:
    return torch_file(b"K\x01\x85q\x00" + b"h\x00h\x00\x86q\x00" * 40 + b"(" + b"h\x00" * 5 + b"tQ")


@found("load", "a tuple 100,000 deep, as a key")
def _deep_key() -> bytes:
    return torch_file(b"}" + b")" + b"\x85" * 100_000 + b"Ns")


@found("load", "a Size of a tensor of 2**31 elements")
def _size_of_tensor() -> bytes:
    return torch_file(b"ctorch\nSize\n" + EXPANDED + b"\x85R", bytes(4))


@found("load", "a set of a tensor of 2**31 elements")
def _set_of_tensor() -> bytes:
    return torch_file(b"cbuiltins\nset\n" + EXPANDED + b"\x85R", bytes(4))


@found("load", "an OrderedDict of a tensor of 2**31 elements")
def _dict_of_tensor() -> bytes:
    return torch_file(b"ccollections\nOrderedDict\n" + EXPANDED + b"\x85R", bytes(4))


@found("load", "one list in 5,000 sets")
def _sets_of_one_list() -> bytes:
    return torch_file(
        b"]("
        + b"J\x00\x00\x01\x00" * 5000
        + b"eq\x00]"
        + b"cbuiltins\nset\nq\x01h\x00\x85R0" * 1
        + b"h\x01h\x00\x85Ra" * 5000
    )


@found("load", "one text encoded 20,000 times")
def _encoded_again() -> bytes:
    return torch_file(
        text("x" * 50_000)
        + b"q\x00c_codecs\nencode\nq\x01]("
        + b"h\x01h\x00"
        + text("latin1")
        + b"\x86Re" * 1
        + b"h\x01h\x00X\x06\x00\x00\x00latin1\x86Ra" * 20_000
    )


@found("load", "keys that collide")
def _collisions() -> bytes:
    keys = b"".join(b"\x8a\x0a" + k.to_bytes(10, "little") + b"K\x00" for k in collisions(20_000))
    return torch_file(b"}(" + keys + b"u")


@found("load", "a long number as a key, again and again")
def _long_key() -> bytes:
    return torch_file(
        b"}\x8b" + struct.pack("<I", 100_000) + b"\x01" * 100_000 + b"q\x00N" + b"sh\x00N" * 50_000 + b"s"
    )


@found("load", "integers that require gradients")
def _integer_gradient() -> bytes:
    return torch_file(tensor(b"K\x01\x85", b"K\x01\x85", b"\x88", kind=b"LongStorage"), bytes(8))


@found("load", "a mark as the value")
def _mark() -> bytes:
    return torch_file(b"(")


@found("load", "a mark in a list")
def _mark_inside() -> bytes:
    return torch_file(b"](a")


@found("load", "a StorageType as the value")
def _storage_type() -> bytes:
    return torch_file(b"ctorch\nFloatStorage\n")


@found("load", "a storage as the value")
def _storage() -> bytes:
    return torch_file(storage(), bytes(4))


@found("load", "a function as the value")
def _function() -> bytes:
    return torch_file(b"ctorch.storage\nUntypedStorage\n0ctorch\nSize\n")


@found("load", "many sets")
def _many_sets() -> bytes:
    return torch_file(b"](" + b"\x8f" * 400_000 + b"e")


@found("load", "a location of its own")
def _location() -> bytes:
    return torch_file(tensor(b"K\x01\x85", b"K\x01\x85", location="\x1b[31m" + "x" * 5000), bytes(4))


@found("load", "a name of its own")
def _name() -> bytes:
    return torch_file(b"cos\n" + b"x" * 100_000 + b"\n")


@found("load", "metadata that are none")
def _metadata() -> bytes:
    return torch_file(b"ccollections\nOrderedDict\n)R}" + text("_metadata") + b"K\x01sb")


# ---- zips --------------------------------------------------------------------------------------------------------


def changed(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """A zip with other bytes behind every such signature."""
    found, at = bytearray(content), 0
    while (at := content.find(signature, at)) >= 0:
        found[at + offset : at + offset + len(value)] = value
        at += 1
    return bytes(found)


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


@found("load", "an encrypted zip")
def _encrypted() -> bytes:
    return changed(changed(torch_file(b"N"), CENTRAL, 8, b"\x01\x00"), LOCAL, 6, b"\x01\x00")


@found("load", "a zip with a directory before its beginning")
def _negative_seek() -> bytes:
    return changed(torch_file(b"N"), END, 16, b"\xff\xff\xff\x7f")


@found("load", "a zip with members before its beginning")
def _negative_member() -> bytes:
    return changed(torch_file(b"N"), CENTRAL, 42, b"\xf0\xff\xff\x7f")


@found("load", "a zip with a name that is no text")
def _bad_name() -> bytes:
    return changed(changed(torch_file(b"N"), CENTRAL, 46, b"\xff\xfe"), CENTRAL, 8, b"\x00\x08")


@found("load", "a zip of a compression that there is not")
def _compression() -> bytes:
    return changed(changed(torch_file(b"N"), CENTRAL, 10, b"\x63\x00"), LOCAL, 8, b"\x63\x00")


@found("load", "a zip for a later version")
def _version() -> bytes:
    return changed(torch_file(b"N"), CENTRAL, 6, b"\xff\x00")


def overlapping(content: dict[str, bytes], name: str, count: int) -> bytes:
    """A zip in which this member stands under many names, in one place."""
    whole = zipped({**content, **{f"{name}/{k}": b"" for k in range(1, count)}})
    first = whole.index(f"{name}/0".encode()) - 30
    size = len(content[f"{name}/0"])
    place = struct.pack("<III", zlib.crc32(content[f"{name}/0"]), size, size)
    found, at = bytearray(whole), 0
    while (at := whole.find(CENTRAL, at)) >= 0:
        if whole[at + 46 :].startswith(f"{name}/".encode()):
            found[at + 16 : at + 28] = place
            found[at + 42 : at + 46] = struct.pack("<I", first)
        at += 1
    return bytes(found)


@found("load", "1,000 storages in one place")
def _overlapping() -> bytes:
    one = [tensor(b"J\x00\x00\x01\x00\x85", b"K\x01\x85", count=65536, key=str(k)) for k in range(1000)]
    program = b"\x80\x02](" + b"".join(one) + b"e."
    return overlapping({"archive/data.pkl": program, "archive/data/0": bytes(4 * 65536)}, "archive/data", 1000)


@found("load", "two members of one name")
def _twice() -> bytes:
    return (
        torch_file(b"N").replace(b"archive/data.pkl", b"archive/data.pkX").replace(b"X", b"l")
        if False
        else _doubled_name()
    )


def _doubled_name() -> bytes:
    whole = zipped({"archive/data.pkl": b"\x80\x02N.", "archive/data.pkm": b"\x80\x02K\x01."})
    return whole.replace(b"data.pkm", b"data.pkl")


# ---- the own format ----------------------------------------------------------------------------------------------


@found("load", "keys of the own format that collide")
def _own_collisions() -> bytes:
    return archive({"dict": [[k, 0] for k in collisions(20_000)]})


@found("load", "a device that is a list")
def _device() -> bytes:
    return archive({"device": ["cpu" * 1000]})


@found("load", "a dtype that is none")
def _dtype() -> bytes:
    return archive({"dtype": "x" * 1000})


@found("load", "a dtype of fields")
def _dtype_fields() -> bytes:
    return archive({"dtype": "f4,(1000000,)f8"})


@found("load", "an integer parameter that requires a gradient")
def _integer_parameter() -> bytes:
    form = {"dtype": "<i8", "shape": [1], "storage": 0, "offset": 0, "strides": [8]}
    return archive({"tensor": 0}, arrays=[form], tensors=[{"array": 0, "requires_grad": True}])


@found("load", "a window of 2**40 elements")
def _own_window() -> bytes:
    form = {"dtype": "<f4", "shape": [2**40], "storage": 0, "offset": 0, "strides": [0]}
    return archive({"tensor": 0}, arrays=[form], tensors=[{"array": 0}])


@found("load", "many empty lists")
def _empty_lists() -> bytes:
    return zipped(
        {
            "structure.json": b'{"format": "tinygrad_cnn 1", "arrays": [], "tensors": [], "value": ['
            + b"[]," * 1_500_000
            + b"0]}"
        }
    )


@found("load", "a list 100,000 deep")
def _deep_list() -> bytes:
    return zipped(
        {
            "structure.json": b'{"format": "tinygrad_cnn 1", "arrays": [], "tensors": [], "value": '
            + b"[" * 100_000
            + b"]" * 100_000
            + b"}"
        }
    )


@found("load", "a format that is a text of 100 kB")
def _format() -> bytes:
    return archive(0, format="x" * 100_000)


@found("load", "a name of a value that is a text of 100 kB")
def _unknown() -> bytes:
    return archive({"x" * 100_000: 0})


LINEAR = ["tinygrad_cnn.nn.linear", "Linear"]


def module(*states: dict[str, object], kind: list[str] = LINEAR) -> bytes:
    """A file with these Modules, the first of which is the value."""
    forms = [{"class": kind, "state": {"dict": [[k, v] for k, v in state.items()]}} for state in states]
    return archive({"module": 0}, modules=forms)


EMPTY: dict[str, object] = {
    **{room: {"dict": []} for room in ("_parameters", "_buffers", "_modules")},
    "training": True,
    "_non_persistent_buffers_set": {"set": []},
}


@found("load_model", "a Module with lists for parameters")
def _lists() -> bytes:
    return module({**EMPTY, "_parameters": [], "_buffers": [], "_modules": []})


@found("load_model", "a Module that contains itself")
def _loop() -> bytes:
    return module({**EMPTY, "_modules": {"dict": [["0", {"module": 0}]]}})


@found("load_model", "a Module whose parameters are numbers")
def _numbers() -> bytes:
    return module({**EMPTY, "_parameters": {"dict": [["weight", 3]]}})


@found("load_model", "a Module whose state_dict is a number")
def _state_dict() -> bytes:
    return module({**EMPTY, "state_dict": 3})


@found("load_model", "a Module of hooks that are numbers")
def _hooks() -> bytes:
    return module({**EMPTY, "_call_hooks": 3, "_non_persistent_buffers_set": 3})


@found("load_model", "Modules that each contain the next twice")
def _doubled_modules() -> bytes:
    links = [{**EMPTY, "_modules": {"dict": [["a", {"module": k + 1}], ["b", {"module": k + 1}]]}} for k in range(40)]
    return module(*links, EMPTY)


@found("load_model", "2,000 Modules inside each other")
def _deep_modules() -> bytes:
    links = [{**EMPTY, "_modules": {"dict": [["a", {"module": k + 1}]]}} for k in range(2000)]
    return module(*links, EMPTY)


@found("load_model", "a state_dict of names that are no text")
def _number_names() -> bytes:
    form = {"dtype": "<f4", "shape": [1], "storage": 0, "offset": 0, "strides": [4]}
    return archive({"dict": [[3, {"tensor": 0}]]}, arrays=[form], tensors=[{"array": 0}])


# ---- .npz --------------------------------------------------------------------------------------------------------


@found("npz", "10**12 elements")
def _many() -> bytes:
    return npz("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }")


@found("npz", "elements beyond 64 bits")
def _too_many() -> bytes:
    return npz("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }")


@found("npz", "a header that is no Python")
def _no_python() -> bytes:
    return npz("{'descr': '<f4', 'fortran_order': False, 'shape': (1,")


@found("npz", "a header of many brackets")
def _brackets() -> bytes:
    return npz("(" * 9000)


@found("npz", "a header with a signature of tokens")
def _tokens() -> bytes:
    return npz("{'descr': '<f4', 'fortran_order': False, 'shape': (1L,), }\n \\")


@found("npz", "an array of a dtype with fields")
def _fields() -> bytes:
    return npz("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", bytes(4))


@found("npz", "a text where numbers should be")
def _text() -> bytes:
    return npz("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", bytes(4))


@found("npz", "a bomb of deflate")
def _bomb() -> bytes:
    whole = npz(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2000000000,), }", bytes(4 << 20), zipfile.ZIP_DEFLATED
    )
    return changed(whole, b"\x00\x00x.npy", 0, b"\x00\x00x.npy")


@found("npz", "a bomb that says it is small")
def _lying_bomb() -> bytes:
    whole = npz("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", bytes(64 << 20), zipfile.ZIP_DEFLATED)
    return changed(whole, CENTRAL, 24, struct.pack("<I", 132))


@found("npz", "an encrypted zip")
def _npz_encrypted() -> bytes:
    return changed(
        changed(npz("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4)), CENTRAL, 8, b"\x01\x00"),
        LOCAL,
        6,
        b"\x01\x00",
    )


@found("npz", "facts that are nested deeply")
def _facts() -> bytes:
    deep = "[" * 100_000
    about = npy(f"{{'descr': '<U{len(deep)}', 'fortran_order': False, 'shape': (), }}", deep.encode("utf-32-le"))
    return zipped({"__about__.npy": about}, zipfile.ZIP_DEFLATED)


@found("npz", "facts that are no dict")
def _no_facts() -> bytes:
    about = npy("{'descr': '<U1', 'fortran_order': False, 'shape': (), }", "3".encode("utf-32-le"))
    return zipped({"__about__.npy": about})


@found("npz", "facts beyond Unicode")
def _beyond() -> bytes:
    about = npy("{'descr': '<U1', 'fortran_order': False, 'shape': (), }", b"\xff\xff\xff\xff")
    return zipped({"__about__.npy": about})


@found("npz", "a .npy instead")
def _npy() -> bytes:
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }")


# ---- safetensors -------------------------------------------------------------------------------------------------


@found("safetensors", "2,000 tensors in one place")
def _same_place() -> bytes:
    form = {"dtype": "U8", "shape": [2**20], "data_offsets": [0, 2**20]}
    return safetensors({f"t{k}": form for k in range(2000)}, bytes(2**20))


@found("safetensors", "a hole that an overlap makes up for")
def _hole() -> bytes:
    first, second = ({"dtype": "U8", "shape": [4], "data_offsets": [a, a + 4]} for a in (0, 0))
    return safetensors({"a": first, "b": second}, bytes(8))


@found("safetensors", "a shape beyond 64 bits")
def _shape() -> bytes:
    return safetensors({"a": {"dtype": "F32", "shape": [0, 2**70], "data_offsets": [0, 0]}})


@found("safetensors", "70 dims")
def _dims() -> bytes:
    return safetensors({"a": {"dtype": "F32", "shape": [1] * 70, "data_offsets": [0, 4]}}, bytes(4))


@found("safetensors", "a dtype that is a list")
def _list_dtype() -> bytes:
    return safetensors({"a": {"dtype": [], "shape": [1], "data_offsets": [0, 4]}}, bytes(4))


@found("safetensors", "a header of brackets")
def _header() -> bytes:
    return safetensors(b'{"a":' + b"[" * 200_000)


@found("safetensors", "a number of 5,000 digits")
def _digits() -> bytes:
    return safetensors(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 4]}}', bytes(4))


@found("safetensors", "metadata that are no texts")
def _texts() -> bytes:
    return safetensors({"__metadata__": {"a": 1}, "b": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"x")


# ---- CIFAR -------------------------------------------------------------------------------------------------------


@found("cifar", "a dtype with a state of its own")
def _forged_dtype() -> bytes:
    names = b"(" + text("a") + b"t"
    fields = b"}" + text("a") + b"cnumpy\ndtype\n" + text("O") + b"K\x00K\x01\x87RK\x00\x86s"
    state = b"(K\x03" + text("|") + b"N" + names + fields + b"K\x08K\x01K?t"
    return cifar(b"}" + text("data") + array_of(dtype_of(state), content="abcdefgh" * 4) + b"s")


@found("cifar", "a dtype of objects")
def _objects() -> bytes:
    state = b"(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t"
    made = b"cnumpy\ndtype\n" + text("O8") + b"K\x00K\x01\x87R" + state + b"b"
    return cifar(b"}" + text("data") + array_of(made, content="abcdefgh" * 4) + b"s")


@found("cifar", "attributes of a function of NumPy's")
def _defaults() -> bytes:
    return cifar(b"cnumpy.core.multiarray\n_reconstruct\n}" + text("__doc__") + text("x") + b"sb0}")


@found("cifar", "defaults of a function of NumPy's")
def _defaults_of_frombuffer() -> bytes:
    return cifar(b"cnumpy.core.numeric\n_frombuffer\n}" + text("__kwdefaults__") + b"}" + b"sb0}")


@found("cifar", "an array of 2**40 elements")
def _reconstructed() -> bytes:
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85U\x01b\x87R"
    return cifar(b"}" + text("data") + made + b"s")


@found("cifar", "an array that is called")
def _called() -> bytes:
    return cifar(b"}" + text("data") + b"cnumpy\nndarray\n\x8a\x05\x00\x00\x00\x00\x10\x85\x85R" + b"s")


@found("cifar", "a list in a list, 50,000 deep")
def _nested() -> bytes:
    return cifar(b"}" + text("data") + b"]" * 50_000 + b"a" * 49_999 + b"s")


@found("cifar", "labels that are lists")
def _labels() -> bytes:
    return pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [[]]}, 2)


@found("cifar", "a label beyond all classes")
def _label() -> bytes:
    return pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [10**30]}, 2)


# ---- pictures ----------------------------------------------------------------------------------------------------


@found("picture", "an image of 2 GB")
def _large() -> bytes:
    return png(46_000, 46_000, zlib.compress(bytes(1 << 20)))


@found("picture", "an image of 50 million pixels of nothing")
def _wide() -> bytes:
    return png(10_000, 5_000)


@found("picture", "a broken DDS")
def _dds() -> bytes:
    return (
        b"DDS "
        + struct.pack("<7I", 124, 0x1007, 4, 4, 0, 0, 0)
        + bytes(44)
        + struct.pack("<8I", 32, 4, 0x30315844, 0, 0, 0, 0, 0)
        + bytes(20)
    )


@found("picture", "an image of no pixels")
def _none() -> bytes:
    return png(0, 0)


@found("picture", "one pixel")
def _one() -> bytes:
    return png(1, 1, zlib.compress(b"\x00\x00"))


@found("picture", "a line")
def _line() -> bytes:
    rows = b"\x00" + bytes(1000) + b"\x00" + b"\xff" * 1000
    return png(1000, 2, zlib.compress(rows))


@found("picture", "a file of another picture's format")
def _eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"


# ---- models that predict uses ------------------------------------------------------------------------------------


def header_facts(**facts: object) -> bytes:
    """A .safetensors without numbers and with facts."""
    return safetensors({"__metadata__": {"facts": json.dumps(facts)}})


@found("predict", "a model whose name is a list")
def _unhashable() -> bytes:
    return header_facts(model=["lenet"])


@found("predict", "a model with a name of 100 kB")
def _long_name() -> bytes:
    return header_facts(model="x" * 100_000)


@found("predict", "a scale beyond floats")
def _scale() -> bytes:
    return header_facts(preprocessing={"kind": "mnist", "mean": 10**400, "deviation": 1})


@found("predict", "facts that are nested deeply")
def _deep_facts() -> bytes:
    return safetensors({"__metadata__": {"facts": "[" * 100_000}})


def article(dtype: str, value: float) -> bytes:
    """The network of the article with every weight the same."""
    shapes = {"0.weight": (16, 1, 3, 3), "0.bias": (16,), "3.weight": (10, 2704), "3.bias": (10,)}
    kind, size = {"F32": ("<f4", 4), "I64": ("<i8", 8)}[dtype]
    header, at = {"__metadata__": {"facts": json.dumps({"model": "article"})}}, 0
    for name, shape in shapes.items():
        count = math.prod(shape) * size
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + count]}  # type: ignore[dict-item]
        at += count
    return safetensors(header, np.full(at // size, value, kind).tobytes())


@found("predict", "weights that are not numbers")
def _nan() -> bytes:
    return article("F32", math.nan)


@found("predict", "infinite weights")
def _infinite() -> bytes:
    return article("F32", math.inf)


@found("predict", "integer weights")
def _integers() -> bytes:
    return article("I64", 1)


@found("predict", "a Module that cannot be called")
def _odd_module() -> bytes:
    return module(EMPTY)


@found("predict", "a ReLU with a text as its setting")
def _odd_setting() -> bytes:
    return module({**EMPTY, "start_dim": "x", "end_dim": []}, kind=["tinygrad_cnn.nn.reshaping", "Flatten"])
