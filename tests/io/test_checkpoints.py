"""Checkpoints: what comes back, what damage does, and what a kill or a full disk at any moment leaves."""

import os
import random
import signal
import subprocess
import sys
import threading
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.optim.cases import OPTIMISERS, SCHEDULERS, scheduler_of
from tinygrad_cnn import nn, optim
from tinygrad_cnn.io import ModelFileError, archive, load_checkpoint, save_checkpoint
from tinygrad_cnn.io import checkpoints as module
from tinygrad_cnn.utils.data import DataLoader, TensorDataset


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def bits(module):
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


# ---- what comes back -------------------------------------------------------------------------------------------------


class Run:
    """A small network with dropout and batch norm, trained by any optimiser and schedule."""

    def __init__(self, optimizer, schedule):
        tg.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
        x = tg.rand(10, 3)
        self.loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), 4, shuffle=True)
        self.optimizer = optimizer(self.net)
        self.schedule = schedule(self.optimizer)
        self.history = []
        self.parts = {name: getattr(self, name) for name in ("net", "optimizer", "schedule", "loader")}

    def train(self, folder=None, stop=None):
        """Two epochs, or as far as that, where a checkpoint is made."""
        done = load_checkpoint(folder, **self.parts) if folder else None
        step = done.step if done else 0
        self.history = done.parts["history"] if done else []
        for epoch in range(done.parts["epoch"] if done else 0, 2):
            for x, y in self.loader:
                self.optimizer.step(lambda x=x, y=y: self.loss(x, y))
                if isinstance(self.schedule, optim.lr_scheduler.ReduceLROnPlateau):
                    self.schedule.step(self.history[-1])
                else:
                    self.schedule.step()
                step += 1
                if step == stop:
                    save_checkpoint(folder, step, epoch=epoch, history=self.history, **self.parts)
                    return self
        return self

    def loss(self, x, y):
        self.optimizer.zero_grad()
        loss = ((self.net(x) - y) ** 2).mean() + 0.01 * tg.randn(1).sum()
        loss.backward()
        self.history.append(loss.item())
        return loss

    def seen(self):
        return bits(self.net), self.history, repr(self.optimizer.state_dict()), repr(tg.rand(2))


def of(name, options):
    """An optimiser of two groups."""

    def made(net):
        groups = [[p for p in net.parameters() if p.ndim == 2], [p for p in net.parameters() if p.ndim == 1]]
        if name in ("LBFGS", "Muon"):  # of one group, of matrices
            return getattr(optim, name)(groups[0], **options)
        return getattr(optim, name)([{"params": group} for group in groups], **options)

    return made


def scheduled(name, options):
    def made(optimizer):
        for group in optimizer.param_groups if "last_epoch" in options else ():
            group["initial_lr"] = 2 * group["lr"]
        return scheduler_of(tg, name, optimizer, options)

    return made


SEARCH = ("LBFGS", {"lr": 0.1, "history_size": 2, "max_iter": 3})


@pytest.mark.parametrize(("name", "options"), [*OPTIMISERS, SEARCH], ids=lambda x: str(x)[:40])
def test_every_optimiser_goes_on_bit_by_bit(name, options, tmp_path):
    _check(of(name, options), scheduled("ConstantLR", {"factor": 0.5}), tmp_path)


@pytest.mark.parametrize(("name", "options"), SCHEDULERS, ids=lambda x: str(x)[:40])
def test_every_schedule_goes_on_bit_by_bit(name, options, tmp_path):
    _check(of("SGD", {"lr": 0.1, "momentum": 0.9}), scheduled(name, options), tmp_path)


def _check(optimizer, schedule, folder):
    expected = Run(optimizer, schedule).train().seen()
    for stop in (2, 3):  # in the first epoch, at its end
        place = folder / str(stop)
        Run(optimizer, schedule).train(place, stop)
        assert Run(optimizer, schedule).train(place).seen() == expected


def test_the_three_generators_go_on(tmp_path):
    def drawn():
        return tg.randn(3).tolist(), random.gauss(0, 1), np.random.standard_normal(), np.random.rand()  # noqa: NPY002

    drawn()  # of the normal numbers the second of a pair waits
    save_checkpoint(tmp_path, 1)
    expected = drawn()
    drawn()
    assert load_checkpoint(tmp_path) is not None
    assert drawn() == expected


def test_values_come_back_as_they_were(tmp_path):
    value = {"epoch": 3, "history": [0.5, float("inf")], "best": tg.arange(3), "note": None, "pair": (1, "a")}
    path = save_checkpoint(tmp_path / "made" / "anew", 12, **value)
    found = load_checkpoint(tmp_path / "made" / "anew")
    assert (found.step, repr(found.parts), found.path, found.damaged) == (12, repr(value), path, {})


def test_nothing_in_it_is_pickled_and_load_reads_it(tmp_path):
    path = save_checkpoint(tmp_path, 1, model=nn.Linear(2, 1))
    with zipfile.ZipFile(path) as opened:
        assert all(name == "structure.json" or name.startswith("arrays/") for name in opened.namelist())
    assert sorted(tg.load(path)["parts"]["model"]) == ["bias", "weight"]


def test_no_folder_and_an_empty_one_hold_nothing(tmp_path):
    assert load_checkpoint(tmp_path / "none") is None
    assert load_checkpoint(tmp_path) is None


# ---- which one counts ------------------------------------------------------------------------------------------------


def test_old_ones_go_and_the_newest_counts(tmp_path):
    for step in (5, 10, 15, 20, 20):
        save_checkpoint(tmp_path, step, keep=2, value=step)
    assert names(tmp_path) == ["checkpoint-00000015.tg", "checkpoint-00000020.tg"]
    assert load_checkpoint(tmp_path).parts == {"value": 20}


def damaged(path, how):
    content = path.read_bytes()
    path.write_bytes(how(content))


@given(st.data())
def test_whatever_is_damaged_is_found_out(tmp_path_factory, draw):
    folder = tmp_path_factory.mktemp("run")
    save_checkpoint(folder, 1, value=1)
    path = save_checkpoint(folder, 2, value=2)
    content = path.read_bytes()
    where, bit = draw.draw(st.integers(0, len(content) - 1), "where"), draw.draw(st.integers(0, 7), "bit")
    changed = {
        "cut": content[:where],
        "bit": content[:where] + bytes([content[where] ^ 1 << bit]) + content[where + 1 :],
        "zeros": content[:where] + bytes(len(content) - where),
        "longer": content + b"x",
        "twice": content + content,
        "byte lost": content[:where] + content[where + 1 :],
    }
    path.write_bytes(changed[draw.draw(st.sampled_from(sorted(changed)), "how")])
    if path.read_bytes() == content:  # its last byte was a zero
        return
    with pytest.warns(
        UserWarning, match=r"passed over checkpoint-00000002.tg \((damaged|cut off).*\); going on from"
    ) as told:
        found = load_checkpoint(folder)
    assert found.parts == {"value": 1}
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    save_checkpoint(folder, 2, value=3)
    assert load_checkpoint(folder).parts == {"value": 3}


@pytest.mark.parametrize("what", ["folder", "empty", "pickle", "pipe"])
def test_what_only_has_the_name_is_passed_over(tmp_path, what):
    save_checkpoint(tmp_path, 1, value=1)
    other = tmp_path / "checkpoint-00000009.tg"
    if what == "folder":
        other.mkdir()
    elif what == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no pipes with names here")
        os.mkfifo(other)
    else:
        other.write_bytes(b"" if what == "empty" else b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    with pytest.warns(UserWarning, match="passed over checkpoint-00000009.tg"):
        assert load_checkpoint(tmp_path).parts == {"value": 1}


def test_where_all_are_damaged_it_does_not_begin_anew(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, step).write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"no checkpoint can be used: .*02.tg \(cut off.*01.tg \(cut off"):
        load_checkpoint(tmp_path)


def test_another_version_of_the_format_is_named(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "FORMAT", "tinygrad_cnn checkpoint 2")
        save_checkpoint(tmp_path, 1)
    with pytest.raises(ModelFileError, match="its format is 'tinygrad_cnn checkpoint 2'; expected"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "its format is none that is known"),
        ({"format": tg.arange(9)}, "its format is none that is known"),
        ({"format": "x" * 9999}, r"its format is 'x{40}';"),
        ({"format": module.FORMAT}, "it has no step, parts, rng"),
        ({"format": module.FORMAT, "step": 1, "parts": [], "rng": {}}, "it has no step, parts, rng"),
        ({"format": module.FORMAT, "step": 1, "parts": {}, "rng": {}}, "random generators are damaged"),
        (
            {"format": module.FORMAT, "step": 1, "parts": {}, "rng": {**module.rng_states(), "numpy": {"state": 1}}},
            "random generators are damaged",
        ),
    ],
)
def test_what_another_program_wrote_under_the_name_is_told(tmp_path, value, said):
    (tmp_path / "checkpoint-00000001.tg").write_bytes(module.sealed(archive.pack(value)))
    with pytest.raises(ModelFileError, match=said) as told:
        load_checkpoint(tmp_path)
    assert len(str(told.value)) < 400


def test_the_checkpoints_of_another_run_are_not_lost(tmp_path):
    save_checkpoint(tmp_path, 900, value="old")
    with pytest.raises(ValueError, match=r"holds checkpoint-00000900.tg, of a later step than 10"):
        save_checkpoint(tmp_path, 10)
    assert load_checkpoint(tmp_path).parts == {"value": "old"}


def test_damaged_later_ones_go_when_training_has_passed_them_over(tmp_path):
    save_checkpoint(tmp_path, 100)
    save_checkpoint(tmp_path, 200).write_bytes(b"damaged")
    save_checkpoint(tmp_path, 150)
    assert names(tmp_path) == ["checkpoint-00000100.tg", "checkpoint-00000150.tg"]


def test_what_was_not_saved_or_takes_no_state_is_named(tmp_path):
    net = nn.Linear(2, 1)
    save_checkpoint(tmp_path, 1, model=net, epoch=1)
    before = bits(net)
    with pytest.raises(KeyError, match="holds no 'optimizer'; it has model, epoch"):
        load_checkpoint(tmp_path, model=nn.Linear(2, 1), optimizer=optim.SGD(net.parameters()))
    with pytest.raises(TypeError, match=r"epoch is a int, which has no load_state_dict; read its value from .parts"):
        load_checkpoint(tmp_path, epoch=2)
    assert bits(net) == before


@pytest.mark.parametrize("step", [-1, 1.0, True, "3", 10**18])
def test_a_step_is_a_whole_number(tmp_path, step):
    with pytest.raises(ValueError, match="step is"):
        save_checkpoint(tmp_path, step)


@pytest.mark.parametrize("keep", [0, -1, 1.5, True])
def test_one_at_least_is_kept(tmp_path, keep):
    with pytest.raises(ValueError, match="keep is"):
        save_checkpoint(tmp_path, 1, keep=keep)


def test_what_cannot_be_saved_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(TypeError, match="value"):
        save_checkpoint(tmp_path / "run", 1, value=object())
    assert not (tmp_path / "run").exists()


# ---- kills and full disks --------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("way", ["unnamed", "named"])
def test_a_kill_before_any_call_of_the_system_leaves_a_good_checkpoint(tmp_path, way):
    """The process is forked where it stands; each child is killed one call later than the one before."""
    for last in range(1, 200):
        folder = tmp_path / str(last)
        done = in_a_fork(lambda folder=folder, last=last: killed_at(folder, last, way))
        said, status = done
        found = load_checkpoint(folder)
        latest = int(said[-1:] or 0)
        assert (found.step if found else 0) in (latest, latest + 1)
        assert found is None or found.parts == {"value": found.step}
        left = names(folder) if folder.exists() else []
        assert all(name.startswith("checkpoint-") for name in left), left
        assert len(left) <= 3
        if status == 0:
            assert said == "123"
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert last > 15


def in_a_fork(work):
    """What it writes to standard output, and the status of the process."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, of the threads of BLAS: they rest
        child = os.fork()
    if not child:
        status = 1
        try:
            os.dup2(writing, 1)
            work()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    return said, os.waitpid(child, 0)[1]


def killed_at(folder, last, way):
    """Save three checkpoints; the process is killed before its call of that number."""
    calls = 0
    if way == "named":  # as where a file system has no files without a name
        vars(os).pop("O_TMPFILE", None)

    def counted(function):
        def called(*args, **options):
            nonlocal calls
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return called

    for name in ("open", "fsync", "link", "replace", "close", "unlink", "mkdir", "write"):
        setattr(os, name, counted(getattr(os, name)))
    for step in (1, 2, 3):
        save_checkpoint(folder, step, keep=2, value=step)
        sys.__stdout__.flush()
        os.write(1, b"%d" % step)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
def test_a_full_disk_leaves_what_was_there(tmp_path):
    code = (
        "import resource, sys, tinygrad_cnn as tg\n"
        "tg.io.save_checkpoint(sys.argv[1], 1, value=1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n    tg.io.save_checkpoint(sys.argv[1], 2, value=tg.zeros(1000))\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "File too large"
    assert names(tmp_path) == ["checkpoint-00000001.tg"]
    assert load_checkpoint(tmp_path).parts == {"value": 1}


@pytest.mark.skipif(module.fcntl is None, reason="no locks on folders here")
def test_who_clears_the_folder_waits_for_who_writes(tmp_path):
    save_checkpoint(tmp_path, 1)
    begun, found = threading.Event(), []

    def load():
        begun.set()
        found.append(load_checkpoint(tmp_path))

    with module.alone(tmp_path):
        (tmp_path / ".0123456789ab.tg-part").write_bytes(b"being written")
        thread = threading.Thread(target=load)
        thread.start()
        begun.wait()
        thread.join(0.2)
        assert (names(tmp_path)[0], found) == (".0123456789ab.tg-part", [])
    thread.join()
    assert names(tmp_path) == ["checkpoint-00000001.tg"]
    assert found[0].step == 1


def test_a_good_load_warns_of_nothing(tmp_path):
    save_checkpoint(tmp_path, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_checkpoint(tmp_path)


def test_a_state_dict_that_is_changed_later_was_written_before(tmp_path):
    net = nn.Linear(2, 1)
    save_checkpoint(tmp_path, 1, model=net)
    before = bits(net)
    with tg.no_grad():
        net.weight.add_(1)
    load_checkpoint(tmp_path, model=net)
    assert bits(net) == before
