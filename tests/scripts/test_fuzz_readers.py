"""The short form of the fuzzing: thousands of changed files for every reader; and the fuzzer sees what is wrong."""

import os
import sys
import time
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("it measures as Linux does", allow_module_level=True)

from scripts.fuzz_readers import __main__ as command
from scripts.fuzz_readers import measuring
from scripts.fuzz_readers.costly import MAKERS
from scripts.fuzz_readers.readers import READERS, Reader, prepare
from scripts.fuzz_readers.seeds import seeds
from tests.profiles import THOROUGH


def test_changed_files_are_read_or_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fuzz_readers", "--seconds", "600" if THOROUGH else "4"])
    status = command.main()
    said = capsys.readouterr().out
    assert status == 0, said
    assert all(f"| `{name}` |" in said for name in READERS)
    print(said)


def test_every_seed_is_read(tmp_path):
    prepare(tmp_path)
    good = seeds()
    assert set(good) == set(READERS)
    names = [(name, content) for name in ("load", "npz", "safetensors", "idx", "gzip") for content in good[name][:2]]
    names += [
        (name, good[name][0]) for name in ("load_model", "cifar", "picture", "pil_loader", "predict", "predicted")
    ]
    ends = [outcome.end for outcome in measuring.read_all(names, tmp_path) if outcome.reader != "load_model"]
    assert set(ends) == {"read"}


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_time_and_memory_are_in_proportion_to_a_file_of_one_thing_again_and_again(tmp_path, maker):
    prepare(tmp_path)
    made = dict(maker(20_000_000 if THOROUGH else 100_000))
    found = measuring.read_all([(name.partition(":")[0], content) for name, content in made.items()], tmp_path)
    assert {n: (o.end, o.seconds, o.memory) for n, o in zip(made, found, strict=True) if o.wrong} == {}


kept = []
FAULTS = {
    "undocumented KeyError": lambda path: {}[path],
    "memory": lambda path: kept.append(bytearray(b"x") * (100 << 20)),
    "crash -9": lambda path: os.kill(os.getpid(), 9),
    "crash 3": lambda path: os._exit(3),
    "long message": lambda path: refuse("x" * 1000),
    "refused": lambda path: refuse("x"),
    "slow": lambda path: sum(range(20_000_000)),
    "read": lambda path: None,
    "hang": lambda path: time.sleep(1000),
}


def refuse(words):
    raise ValueError(words)


@pytest.mark.parametrize("end", FAULTS)
def test_a_reader_that_does_what_it_must_not_is_seen(tmp_path, monkeypatch, end):
    monkeypatch.setattr(measuring, "HANG", 0.5)
    monkeypatch.setattr(measuring, "START", 0.2)

    monkeypatch.setitem(READERS, "planted", Reader(FAULTS[end], (ValueError,)))
    monkeypatch.setitem(READERS, "good", Reader(Path.read_bytes, ()))
    found = measuring.read_all([("good", b"1"), ("planted", b"2"), ("good", b"3")], tmp_path)
    assert [(o.content, o.end) for o in found] == [(b"1", "read"), (b"2", end), (b"3", "read")]
    assert found[1].wrong == (end not in ("read", "refused"))
