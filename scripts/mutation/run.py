"""All mutants, each in a forked process of its own; what became of them is kept in a file, so that a run goes on.

A result counts as long as the mutated function, the ops that answer for it and the checks are what they were: their
sources are part of its key.
"""

import hashlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.mutation import suites
from scripts.mutation.areas import AREAS
from scripts.mutation.targets import Target
from scripts.mutation.trial import DEFINITIONS, ROOT, SAMPLES, SOURCE, Death, load, mutated, trial
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.learn.operators import Mutation, compiled, mutations

STATE = ROOT / "build" / "mutation.jsonl"
SECONDS = 30
"""Of a processor's work, after which a mutant counts as one that never ends."""
PATIENCE = 20
"""How many times as long it may take by the clock: others may be at work, and a mutant may wait for nothing."""
MEMORY = 4 << 30
"""Bytes of address space that a mutant may take."""
LATE = (signal.SIGPROF, signal.SIGALRM)
JUDGES = (
    "tinygrad_cnn/gradcheck/battery.py",
    "tinygrad_cnn/gradcheck/differences.py",
    "tinygrad_cnn/core/draw.py",
    "tinygrad_cnn/core/domain.py",
    "scripts/mutation/trial.py",
)
"""Whose sources are part of every key."""


class Mutant(NamedTuple):
    """A mutation of a target, and the key under which its fate is kept."""

    target: Target
    mutation: Mutation
    key: str


class Fate(NamedTuple):
    """What became of a mutant: the check that killed it ("" if it survived), how, and in what words."""

    key: str
    target: str
    operator: str
    label: str
    check: str
    how: str
    message: str
    tests: str = ""
    """A digest of the tests of the package that had a say."""

    @property
    def killed(self) -> bool:
        """Whether some check noticed."""
        return bool(self.check)


def mutants(targets: Iterable[Target]) -> Iterator[Mutant]:
    """Every mutant of the targets."""
    for target in targets:
        base = _base(target)
        for mutation in mutations(target.definition):
            text = f"{base} {target.name} {mutation.operator} {mutation.label}"
            yield Mutant(target, mutation, hashlib.sha256(text.encode()).hexdigest()[:20])


def drawn(every: Iterable[Mutant], n: int | None = None) -> list[Mutant]:
    """n of them, or of each area as many as it says: always the same, by the digest of what they change."""
    ranked = sorted(every, key=lambda m: hashlib.sha256(f"{m.target.name} {m.mutation.label}".encode()).digest())
    if n is not None:
        return ranked[:n]
    return [m for area in AREAS for m in [r for r in ranked if r.target.area == area][: AREAS[area].size]]


def controls(targets: Iterable[Target]) -> Iterator[Mutant]:
    """The negative control: nothing changed, once for all targets with the same judges. Each must survive."""
    seen = set()
    for target in targets:
        judges = target.ops, target.kind, target.tests, target.function.__module__ if target.ops else ""
        if judges not in seen:
            seen.add(judges)
            key = hashlib.sha256(f"{_base(target)} {target.name} control".encode()).hexdigest()[:20]
            yield Mutant(target, Mutation("control", "nothing", "changed", target.definition), key)


def _base(target: Target) -> str:
    """A digest of the sources that a result depends on."""
    if target.kind == "tested":
        paths = [Path(inspect.getfile(target.function))]
    else:
        paths = [(SOURCE if path.startswith("tinygrad_cnn/") else ROOT) / path for path in JUDGES]
    paths += sorted({Path(inspect.getfile(registry[name])) for name in target.ops})
    if target.kind not in ("rule", "tested"):
        paths.append(ROOT / "tests/ops/test_forward.py")
    room = target.name.partition(".")[0]
    if room in DEFINITIONS:
        paths += [ROOT / DEFINITIONS[room], Path(inspect.getfile(target.function))]
    digest = hashlib.sha256(target.source.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def tests_of(target: Target) -> str:
    """A digest of the tests of the package that answer for a target."""
    digest = hashlib.sha256()
    for path in sorted({test.partition("::")[0] for test in target.tests}):
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()[:20] if target.tests else ""


def counts(mutant: Mutant, fate: Fate | None) -> bool:
    """Whether a result still holds: what some test killed is not tried again when tests change, what survived is."""
    return fate is not None and (fate.killed or fate.tests == tests_of(mutant.target))


def known(path: Path) -> dict[str, Fate]:
    """The results of earlier runs by their keys; a last line that was cut off is left out."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            fate = Fate(**json.loads(line))
        except ValueError:
            continue
        found[fate.key] = fate
    return found


def keep(path: Path, fates: Iterable[Fate]) -> None:
    """Write a state file anew, with these results alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(fate._asdict())}\n" for fate in fates), encoding="utf-8")


def run(
    queue: list[Mutant],
    *,
    jobs: int = 1,
    samples: int = SAMPLES,
    seconds: float = SECONDS,
    until: float = float("inf"),
    path: Path | None = None,
    show: Callable[[str], None] = lambda line: None,
) -> list[Fate]:
    """Try the mutants, `jobs` at a time, and append each result to the state file; stop at the time `until`."""
    fates: list[Fate] = []

    def judged(tests: list[pytest.Item]) -> None:
        fates.extend(_run(queue, tests, jobs, samples, seconds, until, path, show))

    suites.with_tests(ROOT, [test for mutant in queue for test in mutant.target.tests], judged)
    return fates


def _run(
    queue: list[Mutant],
    tests: list[pytest.Item],
    jobs: int,
    samples: int,
    seconds: float,
    until: float,
    path: Path | None,
    show: Callable[[str], None],
) -> list[Fate]:
    fates: list[Fate] = []
    busy: dict[int, tuple[Mutant, int]] = {}
    waiting = iter(queue)
    start, survived = time.monotonic(), 0
    load()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        while len(busy) < jobs and time.monotonic() < until and (mutant := next(waiting, None)) is not None:
            pid, pipe = _forked(
                mutant,
                tests,
                samples,
                max(seconds, AREAS[mutant.target.area].seconds) if seconds == SECONDS else seconds,
            )
            busy[pid] = mutant, pipe
        if not busy:
            return fates
        pid, status = os.wait()
        mutant, pipe = busy.pop(pid)
        fate = _fate(mutant, pipe, status)
        fates.append(fate)
        survived += not fate.killed
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(fate._asdict())}\n")
        pace = (time.monotonic() - start) / len(fates)
        left = len(queue) - len(fates)
        show(f"{len(fates)}/{len(queue)} mutants, {survived} survived, {pace * left / jobs:.0f} s left: {fate.target}")


def _forked(mutant: Mutant, tests: list[pytest.Item], samples: int, seconds: float) -> tuple[int, int]:
    """Start a process that tries the mutant; its id, and the pipe from which its result will be read."""
    sys.stdout.flush()
    sys.stderr.flush()
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    try:  # the child: nothing of it may come back into the caller
        os.close(out)
        for late in LATE:
            signal.signal(late, signal.SIG_DFL)  # also ends loops that never return to Python
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(into, json.dumps(_judged(mutant, tests, samples)).encode())
    finally:
        os._exit(0)


def _judged(mutant: Mutant, tests: list[pytest.Item], samples: int) -> Death | None:
    """What kills the mutant, in this process: a check, or what the checks need before they begin."""
    try:
        code = compiled(mutant.mutation.function)
    except SyntaxError as error:
        return Death("compiler", "raised", str(error))
    try:
        with mutated(mutant.target, code) as right:
            strict = mutant.mutation.operator == "control" or mutant.target.kind != "rule"  # kernels keep plans
            return trial(mutant.target, samples, None if strict else right, tests)
    except Exception as error:  # samplers run forward rules
        return Death("sampler", "raised", f"{type(error).__name__}: {error}"[:300])
    except BaseException as error:  # pytest.raises, in a definition, fails with something that is no Exception
        return Death("definition", "said", f"{type(error).__name__}: {error}"[:300])


def _fate(mutant: Mutant, pipe: int, status: int) -> Fate:
    with os.fdopen(pipe, "rb") as file:
        said = file.read()
    check, how, message = "", "", ""
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in LATE
        check, how = ("time" if late else "crash"), "raised"
        message = "never ended" if late else f"signal {os.WTERMSIG(status)}"
    elif not said:
        check, how, message = "crash", "raised", "the process ended without a result"
    elif (death := json.loads(said)) is not None:
        check, how, message = death
    target, mutation = mutant.target, mutant.mutation
    return Fate(mutant.key, target.name, mutation.operator, mutation.label, check, how, message, tests_of(target))
