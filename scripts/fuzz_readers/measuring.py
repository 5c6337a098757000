"""What reading a file costs and how it ends: in a process of its own, which may crash or hang. For Linux.

The child writes what it is about to read into memory that it shares with its parent, so that the parent knows what
killed it. Memory is the largest resident set while a file was read, which the kernel counts.
"""

import gc
import io
import mmap
import multiprocessing
import os
import resource
import struct
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from scripts.fuzz_readers.readers import READERS

MEBI = 1 << 20
ROOM, TIMES = 64 * MEBI, 8
"""The bound of the memory: so many times the file, and so much more."""
SECONDS_A_MEBI, START = 1.0, 0.5
"""The bound of the processor's time."""
HANG = 10.0
MOST_WORDS = 600
"""The characters of the longest message beside the path."""
SHARED = 64 * MEBI
ADDRESSES = 4096 * MEBI
"""Of memory that a child may ask for beyond what it has: what would fill the machine is a MemoryError."""
FORGET_EVERY = 2000


class Outcome(NamedTuple):
    """How the reading of one file ended: "read", "refused", or what must not be, with what it cost."""

    reader: str
    content: bytes
    end: str
    seconds: float
    memory: int
    words: str

    @property
    def wrong(self) -> bool:
        """Whether it must not be so."""
        return self.end not in ("read", "refused")


class Tally(NamedTuple):
    """The sum of many outcomes of one reader: how many of each end, the slowest, the largest."""

    ends: Counter[str]
    seconds: float
    memory: int


class Memory:
    """How far the resident set of this process rises. Asking is cheap, and forgetting the highest is not."""

    def __init__(self) -> None:
        self.asked = 0
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.start = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE

    def risen(self) -> int:
        """By how much it was higher than at the start since it was last asked; what is small may be from before."""
        rise = max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - self.start)
        self.asked += 1
        if rise > 16 * MEBI or self.asked % FORGET_EVERY == 0:
            self.forget()
        return rise


def reading(name: str, content: bytes, folder: Path, memory: Memory) -> Outcome:
    """Give a file to a reader, in this process."""
    reader = READERS[name]
    path = folder / reader.name
    path.write_bytes(content)
    start = time.process_time()
    end, words = "read", ""
    try:
        reader.read(path)
    except reader.documented as error:
        end, words = "refused", str(error)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        at = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
        end, words = f"undocumented {type(error).__name__}", f"{str(error)[:200]} ({at})"
    seconds, risen = time.process_time() - start, memory.risen()
    if end == "refused" and len(words) > MOST_WORDS + len(str(path)):
        end = "long message"
    elif seconds > START + SECONDS_A_MEBI * len(content) / MEBI:
        end, words = "slow", f"{end}: {words}"
    elif risen > ROOM + TIMES * len(content):
        end, words = "memory", f"{end}: {words}"
    return Outcome(name, content, end, seconds, risen, words[:1000])


def child(inputs: Iterable[tuple[str, bytes]], folder: Path, every: bool, shared: mmap.mmap, out: Connection) -> None:
    """Read all of them; every outcome goes out, or those that are wrong, and the others summed up now and then."""
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESSES, size + ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()  # or a search for cycles goes through all that the parent has, and a reader pays for it
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries in C write there
    try:
        read_and_tell(inputs, folder, every, shared, out)
    except Exception:  # a mistake of ours, not of a reader
        out.send(traceback.format_exc())
        raise


def read_and_tell(
    inputs: Iterable[tuple[str, bytes]], folder: Path, every: bool, shared: mmap.mmap, out: Connection
) -> None:
    """What a child does; see there."""
    memory, sums, sent = Memory(), dict[str, Tally](), time.monotonic()
    with (
        redirect_stdout(io.StringIO()) as said,
        redirect_stderr(io.StringIO()) as complained,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        for name, content in inputs:
            if len(content) + 100 < SHARED:
                head = struct.pack("<II", len(name), len(content))
                shared[: 8 + len(name) + len(content)] = head + name.encode() + content
            outcome = reading(name, content, folder, memory)
            for text in (said, complained):
                text.seek(0)
                text.truncate()
            if every or outcome.wrong:
                out.send(outcome)
            before = sums.get(name, Tally(Counter(), 0.0, 0))
            before.ends[outcome.end] += 1
            most = max(before.seconds, outcome.seconds), max(before.memory, outcome.memory)
            sums[name] = Tally(before.ends, *most)
            if time.monotonic() - sent > 2:
                out.send(sums)
                sums, sent = {}, time.monotonic()
    out.send(sums)
    out.send(None)


def follow(
    inputs: Iterable[tuple[str, bytes]], folder: Path, every: bool, take: Callable[[Outcome | dict[str, Tally]], None]
) -> bool:
    """Have a child read all of them, and take what it says; whether it lived until the end."""
    shared, context = mmap.mmap(-1, SHARED), multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(inputs, folder, every, shared, sender))
    process.start()
    sender.close()
    last, since = b"", time.monotonic()
    while True:
        try:
            if receiver.poll(1):
                told = receiver.recv()
                if told is None:
                    process.join()
                    return True
                if isinstance(told, str):
                    raise RuntimeError(told)
                take(told)
            if (now := shared[:4096]) != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since < 3 * HANG:
                continue
            process.kill()
            end = "hang"
        except EOFError:
            process.join()
            end = f"crash {process.exitcode}"
        process.join()
        name_, size = struct.unpack("<II", shared[:8])
        name, content = shared[8 : 8 + name_].decode(), shared[8 + name_ : 8 + name_ + size]
        take(Outcome(name, content, end, HANG, 0, ""))
        return False


def read_all(inputs: list[tuple[str, bytes]], folder: Path) -> list[Outcome]:
    """How the reading of each ended, crashes and hangs among them."""
    outcomes: list[Outcome] = []

    def take(told: Outcome | dict[str, Tally]) -> None:
        if isinstance(told, Outcome):
            outcomes.append(told)

    while len(outcomes) < len(inputs):
        follow(inputs[len(outcomes) :], folder, every=True, take=take)
    return outcomes
