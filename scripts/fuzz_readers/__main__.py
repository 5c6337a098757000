"""Change good files and give them to their readers, as many as fit into a time, and count how it ends.

    python -m scripts.fuzz_readers --seconds 60
    python -m scripts.fuzz_readers --seconds 1200 --seed 1 --keep /tmp/wrong load picture

Each input is read in a child process. Counted are inputs that were read, and that were refused by a documented
exception. What must not be: any other exception, a crash, a hang of over 10 seconds, more memory than 8 times the file
and 64 MiB, more time than 1 second a MiB (and half a second), a message of over 600 characters. The exit status is 1 if
there was one. The same seed makes the same inputs.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from scripts.fuzz_readers.measuring import MEBI, Outcome, Tally, follow
from scripts.fuzz_readers.mutate import changed
from scripts.fuzz_readers.readers import READERS, prepare
from scripts.fuzz_readers.seeds import seeds

SLICE = 0.2
"""Seconds that a reader gets before the next has its turn."""
SLOW = {"predict": 0.05, "predicted": 0.05}
"""Of those that run a network."""


def inputs(names: list[str], good: dict[str, list[bytes]], seed: int, seconds: float) -> Iterator[tuple[str, bytes]]:
    """Files for these readers in turn, until the time is over."""
    random = Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in names:
            until = min(end, time.monotonic() + SLOW.get(name, SLICE))
            while time.monotonic() < until:
                found = changed(random.choice(good[name]), good[name], random)
                if random.random() < 0.3:
                    found = changed(found, good[name], random)
                yield name, found


class Count:
    """The sums of all children, by reader, and what was wrong."""

    def __init__(self, keep: Path | None) -> None:
        self.keep, self.sums, self.wrong = keep, dict[str, Tally](), list[Outcome]()

    def take(self, told: Outcome | dict[str, Tally]) -> None:
        """What a child says."""
        if isinstance(told, Outcome):
            self.wrong.append(told)
            print(f"WRONG {told.reader}: {told.end}, {len(told.content)} bytes, {told.words}", flush=True)
            if self.keep is not None:
                name = f"{told.reader}-{hashlib.sha256(told.content).hexdigest()[:12]}"
                (self.keep / name).write_bytes(told.content)
            return
        for name, new in told.items():
            old = self.sums.get(name, Tally(Counter(), 0.0, 0))
            both = max(old.seconds, new.seconds), max(old.memory, new.memory)
            self.sums[name] = Tally(old.ends + new.ends, *both)

    def table(self) -> str:
        """A line for each reader, and one for all."""
        lines = [
            "| reader | inputs | read | refused | wrong | slowest, s | most memory, MiB |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        total = Counter[str]()
        for name, tally in self.sums.items():
            total += tally.ends
            row = row_of(tally.ends, sum(w.reader == name for w in self.wrong))
            lines.append(f"| `{name}` | {row} | {tally.seconds:.2f} | {tally.memory / MEBI:.0f} |")
        return "\n".join([*lines, f"| all | {row_of(total, len(self.wrong))} | | |"])


def row_of(ends: Counter[str], wrong: int) -> str:
    """How many there were of each end."""
    return f"{ends.total():,} | {ends['read']:,} | {ends['refused']:,} | {wrong:,}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"some of {', '.join(READERS)}; all by default")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that must not end so")
    args = parser.parse_args()
    if unknown := set(args.readers) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    count, seed, end = Count(args.keep), args.seed, time.monotonic() + args.seconds
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        prepare(Path(folder))
        names, good = args.readers or list(READERS), seeds()
        while (left := end - time.monotonic()) > 0:
            follow(inputs(names, good, seed, left), Path(folder), every=False, take=count.take)
            seed += 1_000_003  # after a crash others
    print(count.table())
    return 1 if count.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
