"""`profiler`: what is timed is what ran."""

import json
import time

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, profiler
from tinygrad_cnn.core.op import Op, registry


@pytest.fixture
def slow():
    class Slow(Op):
        """y = x, slowly        dx = g"""

        def forward(x):
            time.sleep(0.02)
            return x + 0

        def d_x(g):
            time.sleep(0.04)
            return g

        @classmethod
        def sample(cls, draw):
            raise NotImplementedError

    yield Slow
    del registry["Slow"]


def test_forward_and_backward_are_timed_apart(slow):
    x = tg.ones(3, requires_grad=True)
    began = time.perf_counter()
    with profiler.profile() as prof:
        slow.apply(slow.apply(x)).sum().backward()
    whole = 1e6 * (time.perf_counter() - began)
    rows = {row.key: row for row in prof.key_averages()}
    assert rows["Slow"].count == 2
    assert rows["Slow"].forward >= 40e3
    assert rows["Slow"].backward >= 80e3
    assert rows["Slow"].forward + rows["Slow"].backward <= whole
    assert rows["Slow"].cpu_time_total == pytest.approx(rows["Slow"].forward + rows["Slow"].backward)
    assert rows["Sum"].forward < rows["Slow"].forward


def test_modules_and_blocks_hold_what_they_call(slow):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.head = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.head(slow.apply(self.first(x)))

    net = Net()
    with profiler.profile() as prof, profiler.record_function("training step"):
        net(tg.ones(4, 3)).sum().backward()
    rows = {row.key: row for row in prof.key_averages()}
    assert {"net", "net.first", "net.head", "training step", "Linear", "Slow", "Sum"} == rows.keys()
    assert rows["net"].forward >= 20e3 + rows["net.first"].forward
    assert rows["net"].backward >= 40e3 + rows["net.head"].backward
    assert rows["training step"].cpu_time_total >= rows["net"].cpu_time_total
    assert rows["Linear"].bytes == 4 * (12 + 9 + 12 + 6)
    assert rows["Linear"].keeps == ("x, (4, 3)", "w, (3, 3)")


def test_the_table_has_a_line_a_row_and_is_sorted():
    with profiler.profile(record_shapes=True) as prof:
        x = tg.ones(50, 50, requires_grad=True)
        for _ in range(3):
            x = x @ x
        x.tanh().sum().backward()
    averages = prof.key_averages(group_by_input_shape=True)
    table = averages.table(sort_by="count", row_limit=2)
    lines = table.splitlines()
    assert lines[3].split()[:2] == ["Matmul", "3"]
    assert len(lines) == 3 + 2 + 2
    assert all(len(line) <= 100 for line in lines)
    with pytest.raises(ValueError, match="sort_by is 'beauty'; it can be cpu_time_total"):
        averages.table(sort_by="beauty")
    assert averages.total_average().count == 5


def test_the_trace_is_what_chrome_reads(tmp_path):
    with profiler.profile() as prof:
        nn.Linear(2, 2)(tg.ones(1, 2)).sum().backward()
    prof.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {event["ph"] for event in events} == {"X"}
    assert {"Linear", "Sum", "Linear backward", "Sum backward", "linear"} <= {event["name"] for event in events}
    times = [(event["ts"], event["dur"]) for event in events]
    assert times == sorted(times, key=lambda t: t[0])
    assert all(np.isfinite(t) and d >= 0 for t, d in times)


def test_a_schedule_records_some_steps_only():
    ready = []
    plan = profiler.schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    with profiler.profile(schedule=plan, on_trace_ready=lambda p: ready.append([e.key for e in p.events()])) as prof:
        for step in range(8):
            tg.ones(2).mul(step) if step % 2 else tg.ones(2).exp()
            prof.step()
    assert ready == [["Mul", "Exp"]]
    with pytest.raises(ValueError, match="active must be at least 1"):
        profiler.schedule(wait=0, warmup=0, active=0)


def test_nothing_but_the_cpu():
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU]):
        pass
    with pytest.raises(RuntimeError, match="there is only the CPU"):
        profiler.profile(activities=["cuda"])
