"""Files that version 0.1 wrote are read, and give what was put into them; what is written now has all they have."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.cli import main
from tinygrad_cnn.gradcheck import gradcheck
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.io import load_checkpoint, load_model, load_npz, save_model
from tinygrad_cnn.io.safetensors import load_file
from tinygrad_cnn.learn.record import Result
from tinygrad_cnn.learn.results import read_results
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

OLD = Path(__file__).parent / "0.1"
STATE = {
    "weight": np.array([[0.5, -1.25], [3.0, 1e-3]], np.float32),
    "count": np.array([7, -2]),
    "flag": np.array([True, False]),
    "double": np.array([1 / 3]),
}
FACTS = {"model": "linear", "classes": ["cat", "dog"], "seed": 5}
MODELS = ["model.npz", "model.tg", "model.safetensors"]


def check_state(found):
    assert set(found) == set(STATE)
    for name, value in STATE.items():
        assert found[name].numpy().dtype == value.dtype
        np.testing.assert_array_equal(found[name].numpy(), value)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_read(name):
    model = load_model(OLD / name)
    check_state(model.state)
    assert model.facts == FACTS


def test_each_format_is_read_by_its_own_reader():
    state, facts = load_npz(OLD / "model.npz")
    check_state(state)
    assert facts == FACTS
    check_state(load_file(OLD / "model.safetensors"))
    loaded = tg.load(OLD / "model.tg")
    check_state(loaded.pop("state_dict"))
    assert loaded == FACTS


def test_an_archive_keeps_shared_memory_and_nesting():
    found = tg.load(OLD / "shared.tg")
    assert found["step"] == 3
    assert found["nested"] == [None, True, "é", (1, 2.5)]
    assert found["half"].dtype == tg.float16
    found["base"][2] = 100.0
    assert found["view"].tolist() == [100.0, 3.0]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_is_written_and_read_again(tmp_path, name):
    model = load_model(OLD / name)
    save_model(tmp_path / name, model.state, **model.facts)
    again = load_model(tmp_path / name)
    check_state(again.state)
    assert again.facts == FACTS


def small_run():
    """What `0.1/run` is a checkpoint of, after two of the three batches of its second pass."""
    tg.manual_seed(4)
    net = tg.nn.Linear(1, 1)
    optimizer = tg.optim.Adam(net.parameters(), lr=0.1)
    schedule = tg.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    x = tg.arange(5.0)[:, None]
    loader = DataLoader(TensorDataset(x, 2 * x), batch_size=2, shuffle=True)
    return {"model": net, "optimizer": optimizer, "schedule": schedule, "loader": loader}


def steps(run, passes):
    """The numbers of the samples of each step, and one that is drawn in it."""
    for _ in range(passes):
        for x, y in run["loader"]:
            run["optimizer"].zero_grad()
            ((run["model"](x) - y) ** 2).mean().backward()
            run["optimizer"].step()
            run["schedule"].step()
            yield [*x.reshape(-1).tolist(), tg.rand(()).item()]


def test_training_goes_on_from_a_checkpoint(tmp_path):
    shutil.copytree(OLD / "run", tmp_path / "run")
    whole = small_run()
    expected = list(steps(whole, 3))
    run = small_run()
    found = load_checkpoint(tmp_path / "run", **run)
    assert (found.step, found.parts["epoch"], found.parts["history"]) == (5, 1, [0.5, float("inf")])
    assert list(steps(run, 2)) == expected[5:]
    assert run["model"].weight.item() == pytest.approx(whole["model"].weight.item(), rel=1e-5)
    assert run["schedule"].get_last_lr() == pytest.approx([0.1 * 0.9**9])


def test_a_report_is_read():
    report = Report.from_json((OLD / "report.json").read_text(encoding="utf-8"))
    assert report.verdict.value == "fail"
    assert [e.place for e in report.entries] == [(0,), (1,)]
    # of x² + x³ at 0.5 and -1.5, where the derivative of x³ was left out, times a cotangent
    ratios = [e.numeric / e.analytic for e in report.entries]
    assert ratios == pytest.approx([1 + 3 * x / 2 for x in (0.5, -1.5)], rel=1e-6)


def keys(data):
    """The names in JSON, with the way to them."""
    if isinstance(data, dict):
        return {(k, *rest) for k, v in data.items() for rest in (keys(v) or {()})} | {(k,) for k in data}
    if isinstance(data, list):
        return {("[]", *rest) for v in data for rest in keys(v)}
    return set()


def test_a_report_that_is_written_now_has_every_name_of_then():
    x = tg.tensor([0.5, -1.5], dtype=tg.float64, requires_grad=True)

    def half(x):
        return (x * x).sum() + (x * x * x).sum().detach()

    now = json.loads(gradcheck(half, x, raise_exception=False).to_json())
    assert set(json.loads((OLD / "report.json").read_text(encoding="utf-8"))) <= set(now)


def test_the_record_of_the_command_has_every_name_of_then(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def f(x):\n    return (x * x).sum()\n")
    assert main(["gradcheck", "mine.py:f", "--shape", "2", "--json", "now.json"]) == 0
    then, now = (json.loads(path.read_text(encoding="utf-8")) for path in (OLD / "gradcheck.json", Path("now.json")))
    assert keys(then) <= keys(now)
    report = Report.from_json(json.dumps(then["results"][0]["reports"][0]))
    assert (report.verdict.value, len(report.entries)) == ("pass", 2)


def test_a_result_of_an_exercise_is_read(tmp_path):
    text = (OLD / "learn.json").read_text(encoding="utf-8")
    result = Result.from_json(text)
    assert (result.exercise, result.verdict, result.student) == ("tanh", "wrong", "Ada")
    assert len(result.hints) == 4
    (tmp_path / "ada.json").write_text(text, encoding="utf-8")
    found, problems = read_results(tmp_path)
    assert [r.student for r in found] == ["Ada"]
    assert not problems
    assert set(json.loads(text)) <= set(json.loads(result.to_json()))
