"""Where the time goes, and the memory: PyTorch's ``torch.profiler`` for what is here.

Forward and backward of each op and each call of a module, and what the backward pass keeps, from a recorded `Program`.
"""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self

from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.program.listing import Call, Program, size_of
from tinygrad_cnn.program.recording import Recording, here
from tinygrad_cnn.torch_names.errors import DeviceError

__all__ = ["EventList", "FunctionEvent", "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule"]


class ProfilerActivity(enum.Enum):
    """What is watched: the CPU, the only device."""

    CPU = 0


class ProfilerAction(enum.Enum):
    """What a `schedule` says of a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """Which steps are recorded: the `active` ones of rounds that begin with `wait` and `warmup` steps.

    The first round begins after `skip_first` steps; there are `repeat` rounds, or, if it is 0, no end of them.
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise ValueError("schedule: active must be at least 1, the others at least 0")
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        at = step - skip_first
        if at < 0 or (repeat and at >= repeat * length):
            return ProfilerAction.NONE
        at %= length
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == length - 1 else ProfilerAction.RECORD

    return action


@dataclass(slots=True)
class FunctionEvent:
    """One row: an op, a module or a block; or the sum of several of one name. Times in microseconds."""

    key: str
    count: int = 1
    cpu_time_total: float = 0.0
    """Of a module or a block with what it calls."""
    self_cpu_time_total: float = 0.0
    """Of ops alone: 0 of a module or a block."""
    forward: float = 0.0
    backward: float = 0.0
    bytes: int = 0
    """What the backward pass keeps."""
    keeps: tuple[str, ...] = ()
    """What that is: "x, (64, 8, 26, 26)"."""
    input_shapes: tuple[tuple[int, ...], ...] = ()
    scope: str = ""
    """The path of the module that called."""
    began: int = 0
    """Nanoseconds of `time.perf_counter_ns`."""
    kind: str = "op"

    @property
    def name(self) -> str:
        """The same as `key`."""
        return self.key

    @property
    def cpu_time(self) -> float:
        """The mean of one call."""
        return self.cpu_time_total / self.count


SORTS = {
    "cpu_time_total": lambda e: e.cpu_time_total,
    "self_cpu_time_total": lambda e: e.self_cpu_time_total,
    "cpu_time": lambda e: e.cpu_time,
    "count": lambda e: e.count,
    "forward": lambda e: e.forward,
    "backward": lambda e: e.backward,
    "bytes": lambda e: e.bytes,
    "cpu_memory_usage": lambda e: e.bytes,
    "self_cpu_memory_usage": lambda e: e.bytes,
}
"""By what a table is sorted: PyTorch's names, and our columns."""


class EventList(list[FunctionEvent]):
    """Events; `key_averages` adds those of one name, `table` prints them."""

    def total_average(self) -> FunctionEvent:
        """All of them as one."""
        whole = FunctionEvent("Total", 0)
        for event in self:
            _add(whole, event)
        return whole

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One row for each name, or for each name and the shapes of its inputs."""
        groups: dict[Any, FunctionEvent] = {}
        for event in self:
            key = event.kind, event.key, event.input_shapes if group_by_input_shape else ()
            if key not in groups:
                shapes = event.input_shapes if group_by_input_shape else ()
                groups[key] = FunctionEvent(event.key, 0, kind=event.kind, input_shapes=shapes, keeps=event.keeps)
            _add(groups[key], event)
        return EventList(groups.values())

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_name_column_width: int = 32) -> str:
        """The events as text, at most 100 columns wide.

        Parameters
        ----------
        sort_by : "cpu_time_total", "self_cpu_time_total", "cpu_time", "count", "forward", "backward" or "bytes", the
            largest first; None keeps the order
        row_limit : how many rows; a negative number means all
        """
        rows: Sequence[FunctionEvent] = self
        if sort_by is not None:
            if sort_by not in SORTS:
                raise ValueError(f"table: sort_by is {sort_by!r}; it can be {', '.join(SORTS)}")
            rows = sorted(self, key=SORTS[sort_by], reverse=True)
        rows = rows if row_limit < 0 else rows[:row_limit]
        shown: list[tuple[str, ...]] = [("name", "calls", "forward", "backward", "total", "a call", "kept", "keeps")]
        for e in rows:
            name = e.key if len(e.key) <= max_name_column_width else f"{e.key[: max_name_column_width - 1]}…"
            keeps = e.keeps[0] + (" …" if len(e.keeps) > 1 else "") if e.keeps else ""
            figures = [_time(t) for t in (e.forward, e.backward, e.cpu_time_total, e.cpu_time)]
            shown.append((name, str(e.count), *figures, size_of(e.bytes), keeps))
        wide = [max(len(row[k]) for row in shown) for k in range(8)]
        lines = [
            "  ".join([row[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(row[1:7], wide[1:7], strict=True)), row[7]])
            for row in shown
        ]
        rule = "-" * min(100, max(len(line.rstrip()) for line in lines))
        ops = [e for e in self if e.kind == "op"]
        forward, backward = sum(e.forward for e in ops), sum(e.backward for e in ops)
        kept = size_of(sum(e.bytes for e in ops))
        total = f"ops in all: forward {_time(forward)}, backward {_time(backward)}, kept {kept}"
        return "\n".join([rule, lines[0].rstrip(), rule, *(line.rstrip() for line in lines[1:]), rule, total])


def _add(whole: FunctionEvent, event: FunctionEvent) -> None:
    whole.count += event.count
    for name in ("cpu_time_total", "self_cpu_time_total", "forward", "backward", "bytes"):
        setattr(whole, name, getattr(whole, name) + getattr(event, name))


def _time(us: float) -> str:
    return f"{us:.1f} us" if us < 1000 else f"{us / 1000:.2f} ms" if us < 1e6 else f"{us / 1e6:.2f} s"


@dataclass
class profile:
    """``with profile() as prof:`` times what stands below it, forward and backward.

    Parameters
    ----------
    activities : (ProfilerActivity.CPU,), the only one
    schedule : which of the steps that `step` counts are recorded; see `schedule`. Left out, all
    on_trace_ready : is called with the profile when a round of the schedule, or the block, has ended
    record_shapes, profile_memory, with_modules, with_stack, with_flops : PyTorch's; shapes, memory, modules and places
        are always recorded

    Only ops of this thread are timed. While it is on, each op takes some 10 to 20 µs more, which are not counted.

    Examples
    --------
    >>> from tinygrad_cnn import ones
    >>> with profile() as prof:
    ...     (ones(3, requires_grad=True) * 2).sum().backward()
    >>> [(event.key, event.count) for event in prof.key_averages()]
    [('Mul', 1), ('Sum', 1)]
    """

    activities: Iterable[ProfilerActivity] | None = None
    schedule: Callable[[int], ProfilerAction] | None = None
    on_trace_ready: Callable[[profile], Any] | None = None
    record_shapes: bool = False
    profile_memory: bool = False
    with_stack: bool = False
    with_flops: bool = False
    with_modules: bool = False
    step_num: int = field(default=0, init=False)
    programs: list[Program] = field(default_factory=list, init=False)
    _on: Recording | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if any(activity is not ProfilerActivity.CPU for activity in self.activities or ()):
            raise DeviceError("profile: there is only the CPU; leave activities out")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, as ``with`` does."""
        self._turn(self._action())

    def stop(self) -> None:
        """End, and hand the trace over."""
        recording = self._on is not None
        self._turn(ProfilerAction.NONE)
        if recording and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """The next step of the schedule begins."""
        saved = self.schedule is not None and self._action() is ProfilerAction.RECORD_AND_SAVE
        self.step_num += 1
        if saved:
            self._turn(ProfilerAction.NONE)
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
            self.programs.clear()
        self._turn(self._action())

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num)

    def _turn(self, action: ProfilerAction) -> None:
        on = action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if on and self._on is None:
            self._on = Recording()
            self.programs.append(self._on.__enter__())
        elif not on and self._on is not None:
            self._on.__exit__(None, None, None)
            self._on = None

    def events(self) -> EventList:
        """Every op, and every call of a module or a block, in the order in which they began."""
        found = EventList()
        for program in self.programs:
            back: dict[int, float] = {}
            for step in program.backward:
                back[step.line] = back.get(step.line, 0.0) + step.took / 1000
            for line in program.lines:
                if line.took:
                    forward, backward = line.took / 1000, back.get(line.number, 0.0)
                    shapes = tuple(program.values[n].shape for n in line.inputs)
                    keeps = tuple(f"{name}, {shape}" for name, shape, _ in line.keeps)
                    event = FunctionEvent(line.op, 1, forward + backward, forward + backward, forward, backward)
                    event.bytes, event.keeps, event.input_shapes = line.bytes, keeps, shapes
                    event.scope, event.began = line.module or "", line.began
                    found.append(event)
            for call in program.calls:
                took = call.took / 1000
                event = FunctionEvent(call.name, 1, took, 0.0, took, began=call.began, kind="module")
                block = call.name not in program.modules
                inside = [
                    line
                    for line in program.lines
                    if _during(line.began, call) and (block or _within(line.module, call))
                ]
                event.backward = sum(back.get(line.number, 0.0) for line in inside)
                event.cpu_time_total += event.backward
                event.bytes = sum(line.bytes for line in inside)
                found.append(event)
        found.sort(key=lambda event: event.began)
        return found

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One row for each name."""
        return self.events().key_averages(group_by_input_shape)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the trace for ``chrome://tracing`` or Perfetto: a JSON file."""
        rows: list[dict[str, Any]] = []

        def row(name: str, began: int, took: int, kind: str, **args: Any) -> None:
            times = {"ts": began / 1000, "dur": took / 1000}
            rows.append({"name": name, "ph": "X", **times, "pid": 0, "tid": 0, "cat": kind, "args": args})

        for program in self.programs:
            for call in program.calls:
                row(call.name, call.began, call.took, "module")
            for line in program.lines:
                if line.took:
                    shapes = [list(program.values[n].shape) for n in line.inputs]
                    place = line.where[0] if line.where else None
                    source = f"{place.file}:{place.line}" if place else ""
                    told = {"shapes": shapes, "module": line.module, "keeps": line.bytes, "source": source}
                    row(line.op, line.began, line.took, "forward", **told)
            for step in program.backward:
                if step.took:
                    to = program.values[step.to].label()
                    row(f"{program.lines[step.line].op} backward", step.began, step.took, "backward", to=to)
        rows.sort(key=lambda r: float(r["ts"]))
        write_atomically(Path(path), json.dumps({"traceEvents": rows, "displayTimeUnit": "ms"}).encode())


def _within(module: str | None, call: Call) -> bool:
    return module is not None and (module == call.name or module.startswith(f"{call.name}."))


def _during(began: int, call: Call) -> bool:
    return call.began <= began <= call.began + call.took


class record_function:
    """``with record_function("loading"):`` gives what stands below it a name in the profile."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> Self:
        self.began = perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if here.recorder is not None:
            here.recorder.program.calls.append(Call(self.name, self.began, perf_counter_ns() - self.began))
