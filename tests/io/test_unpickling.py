"""The stack machine beside Python's own unpickler: the same data, and nothing but data."""

import json
import pickle
import pickletools
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.io import structure
from tinygrad_cnn.io.structure import Keys, counted, parsed
from tinygrad_cnn.io.unpickling import STEPS, STOP, Machine
from tinygrad_cnn.utils.reading import Allowance, FileError, Limits

KEYS = st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False), st.binary())
TREES = st.recursive(
    st.one_of(KEYS, st.binary(max_size=300).map(bytearray)),
    lambda part: st.one_of(st.lists(part), st.lists(part).map(tuple), st.dictionaries(KEYS, part), st.sets(KEYS)),
    max_leaves=10,
)


def run(program, size=1000):
    return Machine(Allowance(size, Limits())).run(program)


def spelled(value):
    """Its repr, which tells 1 from True and 0.0 from -0.0; of a set in one order, for it has none of its own."""
    if isinstance(value, set):
        return f"set of {sorted(map(repr, value))}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} of {[spelled(part) for part in value]}"
    if isinstance(value, dict):
        return f"dict of {[(repr(key), spelled(part)) for key, part in value.items()]}"
    return repr(value)


def needs_calls(program):
    return any(op.name in ("GLOBAL", "STACK_GLOBAL") for op, _, _ in pickletools.genops(program))


@given(TREES, st.integers(0, 5))
def test_data_are_those_of_python_s_unpickler(tree, protocol):
    program = pickle.dumps(tree, protocol)
    if not needs_calls(program):  # old protocols call functions for bytes and sets
        found = run(program)
        assert (found, spelled(found)) == (tree, spelled(tree))


@given(TREES, st.integers(0, 5), st.data())
def test_a_cut_or_changed_program_is_data_or_refused(tree, protocol, data):
    program = bytearray(pickle.dumps(tree, protocol))
    at = data.draw(st.integers(0, len(program) - 1))
    program[at] = data.draw(st.integers(0, 255))
    for changed in (bytes(program), bytes(program[:at])):
        try:
            found = run(changed)
        except (FileError, ValueError):
            continue
        assert pickle.dumps(found)  # a name, or what is made for a function, could not be


def test_every_instruction_is_carried_out_or_refused_by_name():
    for op in pickletools.opcodes:
        code = ord(op.code)
        if code not in STEPS and code != STOP:
            with pytest.raises(FileError, match=f"has the instruction {op.name}, which trees of plain values"):
                run(bytes([code]) + b"x\nx\n" * 4)


def test_time_is_in_proportion_to_the_program():
    # marks were searched for from the bottom of the stack: this took minutes
    assert run(b"(" * 100_000 + b"t" * 100_000 + b".", 10**8) is not None


def test_json_is_counted_before_it_is_parsed():
    assert parsed(b'{"a": [1, "]]]", "\\"[", "\\\\"]}', Allowance(100, Limits())) == {"a": [1, "]]]", '"[', "\\"]}
    for text in (b"[]," * 1_000_000, b'"' + b"\\u1234" * 9_000_000 + b'"'):
        with pytest.raises(FileError, match=r"limits\.objects"):
            parsed(b"[" + text.removesuffix(b",") + b"]", Allowance(0, Limits()))


@given(
    st.recursive(
        st.text(st.sampled_from('[]{}"\\ab')), lambda part: st.one_of(st.lists(part), st.dictionaries(st.text(), part))
    )
)
def test_depth_is_that_of_the_value(value):
    def depth(part):
        if isinstance(part, dict):
            part = list(part.values())
        return 1 + max(map(depth, part), default=0) if isinstance(part, list) else 0

    content = memoryview(json.dumps(value).encode())
    found = counted(content)
    assert found.deepest == depth(value)
    with patch.object(structure, "BLOCK", 3):
        assert counted(content)[:-3] == found[:-3]


@pytest.mark.parametrize("text", [b"[" * 1001 + b"]" * 1001, b"\xff", b"{", b"[1,]", b"'a'", b"", b"1" * 5000])
def test_what_is_no_json_or_nested_too_deep_is_refused(text):
    with pytest.raises(FileError, match="its JSON"):
        parsed(text, Allowance(1000, Limits()))


def test_keys_may_be_few_large_numbers_and_tuples():
    keys = Keys(Allowance(0, Limits()))
    for key in ("a", 1, -(2**60) + 1, None, 2.5, b"x", True):
        for _ in range(5000):
            assert keys.check(key) is key
    for key in ([], {}, ([],), (1, (2, {})), bytearray(), tuple(range(2000)), 1 << 100_000):
        with pytest.raises(FileError, match=r"cannot be|parts"):
            keys.check(key)
    for k in range(Keys.FEW - keys_used(keys)):
        keys.check((k,))
    with pytest.raises(FileError, match="more than 4,096 keys"):
        keys.check(1 << 60)


def keys_used(keys):
    return Keys.FEW - keys.left
