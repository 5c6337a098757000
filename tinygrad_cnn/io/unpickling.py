"""A stack machine for pickles that makes data and nothing else.

A pickle is a program: its instructions push values, put them into lists and dicts, and call functions by name. Python's
own machine looks up any name and calls it. This one knows the instructions that trees of data need. What a name stands
for is in a list that whoever reads a format gives (`pytorch.py`, `datasets/cifar.py`); it calls those functions of ours
alone, sets attributes through ours alone, and refuses every other instruction and name. It never goes back over its
stack, and every instruction takes what it costs from the allowance, so time and memory are in proportion to the file.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Any

from tinygrad_cnn.io.structure import Keys
from tinygrad_cnn.utils.reading import Allowance, FileError, expect, shown, too_costly, without_collecting


class Name:
    """What a name of the pickle stands for, or what is made only to be given to a function: no data."""

    __slots__ = ()


class Called(Name):
    """A function of ours, called with the arguments that the pickle gives."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class Kind(Name):
    """Something that is only given to functions, such as the type of a storage."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Machine:
    """The stack, the marks on it, the memo, and one method per group of instructions.

    A format's own machine sets `names`, what each name stands for ("module name"), and `builders`, which functions take
    the state of what types; it may make objects of persistent ids.
    """

    advice = ""
    """What to save instead, for the messages."""

    def __init__(self, allowance: Allowance) -> None:
        self.names: dict[str, Any] = {}
        self.builders: dict[type[Any], Callable[[Any, Any], None]] = {}
        self.allowance = allowance
        self.keys = Keys(allowance)
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.program = b""
        self.at = 0

    def run(self, program: bytes) -> Any:
        """Carry out the instructions up to STOP, whose value is on top."""
        with without_collecting():
            return self.carried_out(program)

    def carried_out(self, program: bytes) -> Any:
        """The same; see `run`."""
        self.program, steps, allowance = program, STEPS, self.allowance
        for _ in range(len(program)):
            if self.at >= len(program):
                break
            code = program[self.at]
            self.at += 1
            if code == STOP:
                return self.result()
            step = steps.get(code)
            if step is None:
                raise FileError(
                    f"its pickle has the instruction {NAMES.get(code, code)}, which trees of plain values do not need; "
                    f"it is not carried out{self.advice}"
                )
            allowance.left -= 16  # what a step takes without asking is looked at before the next
            if allowance.left < 0:
                raise too_costly()
            step(self)
        raise FileError("its pickle ends early")

    def result(self) -> Any:
        """What is left on the stack, which must be one value."""
        if self.marks or len(self.stack) != 1:
            raise FileError("its pickle leaves more, or less, than one value")
        return data_only(self.stack.pop(), self.allowance)

    # ---- arguments ---------------------------------------------------------------------------------------------------

    def bytes_of(self, count: int) -> bytes:
        """The next bytes of the program."""
        found = self.program[self.at : self.at + count]
        if len(found) != count:
            raise FileError("its pickle ends early")
        self.at += count
        return found

    def number(self, form: struct.Struct) -> Any:
        """The next number of the program."""
        return form.unpack(self.bytes_of(form.size))[0]

    def counted(self, form: struct.Struct) -> bytes:
        """As many bytes as the next number says."""
        count = self.number(form)
        if not 0 <= count <= len(self.program) - self.at:
            raise FileError("its pickle ends early")
        self.allowance.take(count)
        return self.bytes_of(count)

    def line(self) -> bytes:
        """The bytes up to the end of the line."""
        end = self.program.find(b"\n", self.at)
        if end < 0:
            raise FileError("its pickle ends early")
        self.allowance.take(end - self.at)
        return self.bytes_of(end + 1 - self.at)[:-1]

    def push_text(self, content: bytes, encoding: str) -> None:
        """Push a text."""
        if encoding == "utf-8":
            found = str(content, encoding, "surrogatepass")
        else:
            found = str(content, encoding)
        if not found.isascii():
            self.allowance.take(4 * len(found))
        self.push(found, 90)

    def push(self, value: Any, cost: int = 0) -> None:
        """Push a value, which takes so many bytes."""
        self.allowance.left -= cost
        self.stack.append(value)

    # ---- the stack ---------------------------------------------------------------------------------------------------

    def pop(self) -> Any:
        """Take the topmost value since the last mark."""
        if not self.stack:
            raise FileError("its pickle takes a value that is not there")
        return self.stack.pop()

    def top(self) -> Any:
        """The topmost value since the last mark."""
        if not self.stack:
            raise FileError("its pickle takes a value that is not there")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        if not self.marks:
            raise FileError("its pickle goes back to a mark that is not there")
        values, self.stack = self.stack, self.marks.pop()
        return values

    def protocol(self) -> None:
        """PROTO"""
        self.bytes_of(1)

    def frame(self) -> None:
        """FRAME"""
        self.bytes_of(8)

    def mark(self) -> None:
        """MARK"""
        self.allowance.take(64)
        self.marks.append(self.stack)
        self.stack = []

    def put(self, key: int) -> None:
        """BINPUT, MEMOIZE, PUT"""
        self.allowance.take(100)
        self.memo[key] = self.top()

    def get(self, key: int) -> None:
        """BINGET, GET"""
        if key not in self.memo:
            raise FileError("its pickle asks for a value that it has not kept")
        self.stack.append(self.memo[key])

    # ---- containers --------------------------------------------------------------------------------------------------

    def tuple_of(self, count: int) -> None:
        """TUPLE1, TUPLE2, TUPLE3"""
        values = tuple(self.stack[-count:])
        if len(values) != count:
            raise FileError("its pickle takes a value that is not there")
        del self.stack[-count:]
        self.push(values, 80)

    def append(self, values: list[Any]) -> None:
        """APPEND, APPENDS"""
        self.allowance.take(10 * len(values))
        expect(list, self.top()).extend(values)

    def append_one(self) -> None:
        """APPEND"""
        value, target = self.pop(), self.top()
        self.allowance.left -= 10
        expect(list, target).append(value)

    def add_items(self, values: list[Any]) -> None:
        """ADDITEMS"""
        target = expect(set, self.top())
        for value in values:
            target.add(self.key(value))

    def key(self, value: Any) -> Any:
        """A key of a dict, or an element of a set."""
        self.allowance.take(150)
        return self.keys.check(value)

    def set_items(self, values: list[Any]) -> None:
        """SETITEMS"""
        self.fill(expect(dict, self.top()), values)

    def fill(self, target: dict[Any, Any], values: list[Any]) -> None:
        """Put keys and values, in turns, into a dict."""
        if len(values) % 2:
            raise FileError("its pickle has a key without a value")
        for k in range(0, len(values), 2):
            target[self.key(values[k])] = values[k + 1]

    def set_item(self) -> None:
        """SETITEM"""
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def dict_of(self) -> None:
        """DICT"""
        found: dict[Any, Any] = {}
        self.fill(found, self.since_mark())
        self.push(found, 240)

    # ---- names -------------------------------------------------------------------------------------------------------

    def named(self, module: Any, name: Any) -> None:
        """GLOBAL, STACK_GLOBAL: a name, looked up in the list."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise FileError("its pickle has a name that is no text")
        if f"{module} {name}" not in self.names:
            spelled = f"{module}.{name}"
            spelled = spelled if len(spelled) < 80 and spelled.isprintable() else shown(spelled, 80)
            raise FileError(
                f"its pickle names {spelled}, which is not loaded: only tensors, arrays, numbers, texts, and dicts and "
                f"lists of them are{self.advice}"
            )
        self.stack.append(self.names[f"{module} {name}"])

    def named_in_lines(self) -> None:
        """GLOBAL"""
        self.named(str(self.line(), "utf-8"), str(self.line(), "utf-8"))

    def named_on_stack(self) -> None:
        """STACK_GLOBAL"""
        name, module = self.pop(), self.pop()
        self.named(module, name)

    def reduce(self) -> None:
        """REDUCE: call what a name stands for."""
        args, called = self.pop(), self.pop()
        args, called = expect(tuple, args), expect(Called, called)
        if len(args) > 10:
            raise FileError("its pickle gives a function more arguments than it takes")
        self.allowance.take(200)
        try:
            self.stack.append(called.function(*args))
        except FileError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise FileError(f"its pickle calls a function wrongly ({type(error).__name__})") from None

    def build(self) -> None:
        """BUILD: the state of what a function of ours has made."""
        state, target = self.pop(), self.top()
        builder = self.builders.get(type(target))
        if builder is None:
            raise FileError(f"its pickle sets attributes of a {type(target).__name__}{self.advice}")
        builder(target, state)

    def persistent_object(self) -> None:
        """BINPERSID"""
        self.push(self.persistent(self.pop()), 64)

    def persistent(self, said: Any) -> Any:
        """The object outside of the pickle that an id means."""
        raise FileError("its pickle refers to objects outside of it")


def data_only(value: Any, allowance: Allowance) -> Any:
    """The value, if there is nothing in it but data; FileError if what a name stands for is among them."""
    parts, seen = [value], set[int]()
    while parts:
        part = parts.pop()
        kind, key = type(part), id(part)
        if kind in LEAVES or key in seen:
            continue
        if kind not in SEQUENCES and isinstance(part, Name):
            raise FileError("its pickle uses a name, or what is made for a function, as a value")
        if kind in SEQUENCES or isinstance(part, (tuple, dict)):
            seen.add(key)
            allowance.left -= 60 + 8 * len(part)
            if allowance.left < 0:
                raise too_costly()
            parts.extend(part)
            if isinstance(part, dict):
                parts.extend(part.values())
    return value


SEQUENCES = {list, tuple, set}
LEAVES = {str, int, float, bool, bytes, type(None)}


def number_in(line: bytes) -> int | bool:
    """The number of INT, which writes truth values, too."""
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > 1000:
        raise FileError("its pickle has a number of more than 1,000 digits")
    return int(line)


def long_in(content: bytes) -> int:
    """The number of LONG1 and LONG4."""
    return int.from_bytes(content, "little", signed=True)


def quoted_in(line: bytes) -> bytes:
    """The bytes of STRING, which writes them as Python does."""
    if len(line) < 2 or line[:1] not in b"'\"" or line[:1] != line[-1:]:
        raise FileError("its pickle has a text without quotes")
    return codecs.escape_decode(line[1:-1])[0]


U1, U2, U4, U8 = (struct.Struct(f"<{kind}") for kind in "BHIQ")
I4, F8 = struct.Struct("<i"), struct.Struct(">d")
STOP = ord(".")
NAMES = {
    ord(sign): name
    for sign, name in {
        "P": "PERSID", "i": "INST", "o": "OBJ", "0": "POP", "1": "POP_MARK", "2": "DUP", "\x81": "NEWOBJ",
        "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4", "\x91": "FROZENSET", "\x92": "NEWOBJ_EX",
        "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
    }.items()
}  # fmt: skip
"""The instructions that are not carried out."""
STEPS: dict[int, Callable[[Machine], None]] = {
    ord(sign): step
    for sign, step in {
        "\x80": Machine.protocol,
        "\x95": Machine.frame,
        # values
        "N": lambda m: m.push(None),
        "\x88": lambda m: m.push(True),
        "\x89": lambda m: m.push(False),
        "J": lambda m: m.push(m.number(I4), 40),
        "K": lambda m: m.push(m.number(U1), 8),
        "M": lambda m: m.push(m.number(U2), 40),
        "\x8a": lambda m: m.push(long_in(m.counted(U1)), 40),
        "\x8b": lambda m: m.push(long_in(m.counted(I4)), 40),
        "G": lambda m: m.push(m.number(F8), 24),
        "I": lambda m: m.push(number_in(m.line()), 40),
        "L": lambda m: m.push(number_in(m.line().removesuffix(b"L")), 40),
        "F": lambda m: m.push(float(m.line()), 40),
        "X": lambda m: m.push_text(m.counted(U4), "utf-8"),
        "\x8c": lambda m: m.push_text(m.counted(U1), "utf-8"),
        "\x8d": lambda m: m.push_text(m.counted(U8), "utf-8"),
        "V": lambda m: m.push_text(m.line(), "raw-unicode-escape"),
        "U": lambda m: m.push_text(m.counted(U1), "latin-1"),
        "T": lambda m: m.push_text(m.counted(I4), "latin-1"),
        "S": lambda m: m.push_text(quoted_in(m.line()), "latin-1"),
        "B": lambda m: m.push(m.counted(U4), 40),
        "C": lambda m: m.push(m.counted(U1), 40),
        "\x8e": lambda m: m.push(m.counted(U8), 40),
        "\x96": lambda m: m.push(bytearray(m.counted(U8)), 64),
        # containers
        "}": lambda m: m.push({}, 220),
        "]": lambda m: m.push([], 100),
        ")": lambda m: m.push(()),
        "\x8f": lambda m: m.push(set(), 220),
        "(": Machine.mark,
        "t": lambda m: m.push(tuple(m.since_mark()), 64),
        "l": lambda m: m.push(m.since_mark(), 100),
        "d": Machine.dict_of,
        "\x85": lambda m: m.tuple_of(1),
        "\x86": lambda m: m.tuple_of(2),
        "\x87": lambda m: m.tuple_of(3),
        "a": Machine.append_one,
        "e": lambda m: m.append(m.since_mark()),
        "\x90": lambda m: m.add_items(m.since_mark()),
        "s": Machine.set_item,
        "u": lambda m: m.set_items(m.since_mark()),
        # the memo
        "q": lambda m: m.put(m.number(U1)),
        "r": lambda m: m.put(m.number(U4)),
        "p": lambda m: m.put(number_in(m.line())),
        "\x94": lambda m: m.put(len(m.memo)),
        "h": lambda m: m.get(m.number(U1)),
        "j": lambda m: m.get(m.number(U4)),
        "g": lambda m: m.get(number_in(m.line())),
        # names
        "c": Machine.named_in_lines,
        "\x93": Machine.named_on_stack,
        "R": Machine.reduce,
        "b": Machine.build,
        "Q": Machine.persistent_object,
    }.items()
}
