"""`tinygrad-cnn gradcheck` as users call it: verdicts and exit status, every wrong use, JSON, the page, whole files."""

import argparse
import json
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.cli.terminal import Terminal
from tinygrad_cnn.cli import display, gradcheck, gradcheck_display, main
from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.gradcheck import Report, Verdict
from tinygrad_cnn.gradcheck.planting import PLANTED, planted
from tinygrad_cnn.gradcheck.svg import binned, step_curve
from tinygrad_cnn.gradcheck.sweep import Outcome, Trial, check_constant, check_op, draw, own_ops, rated, ratios
from tinygrad_cnn.gradcheck.verdicts import Entry, GradientError

MINE = '''
import numpy as np

def tanh_of_product(x, w):
    """y = tanh(x w)"""
    return (x @ w).tanh()

def softplus(x):
    return np.log1p(np.exp(x))

def softplus_vjp(g, x):
    return g / (1 + np.exp(-x))

def softplus_wrong(g, x):
    return -g / (1 + np.exp(-x))

def jumpy(x):
    return np.sin(x) + 1e-3 * np.sin(1e9 * x)

def jumpy_vjp(g, x):
    return g * np.cos(x)

def detached(x):
    return x.detach().numpy() * 2

def whole(x):
    return (x * 0).argmax()

def prints(x):
    print("I am here")
    return x * 3

def raises(x):
    raise ValueError("no such thing")

def ends(x):
    raise SystemExit(7)

def positive(x):
    return x.log()

class Layer:
    def forward(self, x):
        return x * 2

layer = Layer()
number = 3.0
'''

OP = '''
import numpy as np
from tinygrad_cnn.ops import Elementwise, Op

class CubeOfMine(Elementwise):
    """y = x³        dL/dx = 3 x² g"""
    floating = True
    def forward(x): return x**3
    def d_x(g, x): return g * {factor} * x**2

class NoSampler(Op):
    """y = x"""
    def forward(x): return x
    def d_x(g): return g
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with the user's file in it, and in it the command runs."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ops_of_mine():
    """Whatever ops a file of the user's defines are forgotten again."""
    known = dict(registry)
    yield
    registry.clear()
    registry.update(known)


def run(capsys, *argv):
    """Exit status, standard output and standard error."""
    try:
        status = main(["gradcheck", *map(str, argv)])
    except SystemExit as end:  # argparse's own
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys, *argv):
    """Status 2, nothing on standard output, no traceback; what was said, in its last line."""
    status, out, error = run(capsys, *argv)
    assert status == 2
    assert out == ""
    assert "Traceback" not in error
    return error.splitlines()[-1]


# Functions


def test_a_right_function_of_tensors_passes(mine, capsys):
    status, out, error = run(capsys, "mine.py:tanh_of_product", "--shape", "2,3", "--shape", "3x2")
    assert status == 0
    assert error == ""
    assert "pass  mine.py:tanh_of_product: 1 of 1 checks passed" in out
    assert "x 2×3" in out
    assert "w 3×2" in out
    assert "12 derivatives compared" in out


def test_a_right_numpy_pair_passes_and_a_wrong_one_is_diagnosed(mine, capsys):
    pair = ["mine.py:softplus", "--shape", "2,2", "--vjp"]
    assert run(capsys, *pair, "mine.py:softplus_vjp")[0] == 0
    status, out, _ = run(capsys, *pair, "mine.py:softplus_wrong")
    assert status == 1
    assert "FAIL  mine.py:softplus" in out
    assert "It looks like this (sign): the whole gradient has the wrong sign" in out.replace("\n    ", "")
    (worst,) = [line for line in out.splitlines() if "→" in line]
    place, analytic, numeric = re.search(r"(\(\d, \d\))\s+(\S+)\s+(\S+)", worst).groups()
    assert float(analytic) == pytest.approx(-float(numeric), rel=1e-6)
    assert place in out.split("the worst element is")[1].split(":")[0]


def test_what_cannot_be_told_has_its_own_status(mine, capsys):
    status, out, _ = run(capsys, "mine.py:jumpy", "--vjp", "mine.py:jumpy_vjp", "--shape", "3")
    assert status == 3
    assert "inconclusive  mine.py:jumpy: 0 of 1 checks passed" in out
    assert "do not settle" in out


def test_modules_are_found_in_the_current_folder_and_methods_in_objects(mine):
    command = [sys.executable, "-m", "tinygrad_cnn", "gradcheck"]
    for name in ("mine:softplus", "mine:layer.forward"):
        done = subprocess.run([*command, name, "--shape", "2"], capture_output=True, text=True, cwd=mine)
        assert (done.returncode, done.stderr) == (0, "")


def test_second_order_takes_functions_of_tensors(mine, capsys):
    status, out, _ = run(capsys, "mine.py:tanh_of_product", "--shape", "1,2", "--shape", "2,1", "--order", "2")
    assert status == 0
    assert "the gradient of the gradient of tanh_of_product is right" in out
    assert "cotangent 0 1×1" in out


def test_inputs_are_drawn_from_the_range_in_the_dtype_by_the_seed(mine, capsys, monkeypatch):
    seen = []
    right = gradcheck.gradcheck

    def watched(function, inputs, **options):
        seen.append((inputs[0].detach().numpy().copy(), options))
        return right(function, inputs, **options)

    monkeypatch.setattr(gradcheck, "gradcheck", watched)
    options = ["--low", "0.5", "--high", "0.75", "--dtype", "float32", "--eps", "0.01", "--rtol", "0", "--atol", "0.5"]
    options += ["--fast", "--samples", "2"]
    for seed in ("1", "1", "2"):
        assert run(capsys, "mine.py:positive", "--shape", "40", "--seed", seed, *options)[0] == 0
    arrays = [a for a, _ in seen]
    assert all(a.dtype == np.float32 and a.min() >= 0.5 and a.max() <= 0.75 for a in arrays)
    assert np.array_equal(arrays[0], arrays[2])
    assert not np.array_equal(arrays[0], arrays[1])
    assert not np.array_equal(arrays[0], arrays[4])
    given = seen[0][1]
    assert {k: given[k] for k in ("eps", "rtol", "atol", "fast_mode")} == {
        "eps": 0.01, "rtol": 0.0, "atol": 0.5, "fast_mode": True,
    }  # fmt: skip


def test_outside_the_domain_it_says_how_to_choose_the_range(mine, capsys):
    status, out, _ = run(capsys, "mine.py:positive", "--shape", "9")
    assert status == 1
    assert "the function returns nan" in out
    assert "Inputs were drawn between -2 and 2; --low and --high choose another range." in out
    assert run(capsys, "mine.py:positive", "--shape", "9", "--low", "0.1")[0] == 0


# Ops


def test_an_op_is_sampled_by_its_own_sampler_and_put_through_everything(capsys):
    status, out, _ = run(capsys, "Conv2D", "--samples", "2")
    assert status == 0
    assert "pass  Conv2D: 10 of 10 checks passed, 2 samples" in out


@pytest.mark.parametrize(("name", "kind"), [("sign flipped", "sign"), ("factor 2", "factor"), ("zeroed", "dropped")])
def test_a_planted_error_fails_with_its_diagnosis_in_text_json_and_page(tmp_path, capsys, name, kind):
    files = ["--json", tmp_path / "a.json", "--html", tmp_path / "a.html"]
    with planted(registry["Tanh"], 0, PLANTED[name]):
        status, out, _ = run(capsys, "Tanh", *files)
    assert status == 1
    assert f"It looks like this ({kind})" in out
    assert "first order: d_x against differences" in out
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["verdict"] == "fail"
    (result,) = data["results"]
    assert any(r["diagnoses"] and r["diagnoses"][0]["kind"] == kind for r in result["reports"])
    failed = {c["check"] for c in result["checks"] if c["failures"]}
    assert {"first order", "gradcheck"} <= failed
    page = (tmp_path / "a.html").read_text()
    assert f"<strong>{kind}: " in page
    assert '<tr class="worst"><th scope="row" class="">x ' in page
    assert run(capsys, "Tanh", "--samples", "2")[0] == 0


def test_an_error_in_the_second_derivative_only_is_shown_without_the_report_that_passes(capsys):
    with planted(registry["Div"], 0, PLANTED["factor 2"]):  # the rule of Log divides
        status, out, _ = run(capsys, "Log")
    assert status == 1
    assert "second order: second order against differences" in out
    assert "the gradient of Log is right" not in out


def test_an_op_of_the_users_own_is_checked_by_its_class(mine, ops_of_mine, capsys):
    (mine / "good.py").write_text(OP.format(factor=3))
    assert run(capsys, "good.py:CubeOfMine")[0] == 0
    (mine / "good.py").write_text(OP.format(factor="2.0"))  # another size: Python looks at it and at whole seconds
    status, out, _ = run(capsys, "good.py:CubeOfMine")
    assert status == 1
    assert "should be 3" in " ".join(out.split())
    assert "write sample(draw)" in refused(capsys, "good.py:NoSampler")


def test_an_op_without_derivative_is_not_recorded():
    outcome = check_op(registry["Argmax"], samples=2)
    assert (outcome.verdict, outcome.passed, outcome.worst) == (Verdict.PASS, 1, None)
    op = registry["Tanh"]
    with pytest.raises(GradientError, match="Tanh: has no derivative, but"):
        check_constant(op, draw(op, 0, 0), np.random.default_rng(0))


# All


@pytest.fixture
def few(monkeypatch):
    """Three ops in place of all."""
    monkeypatch.setattr(gradcheck, "own_ops", lambda: [registry[name] for name in ("Exp", "Tanh", "Argmax")])


def test_every_op_passes_and_is_listed(tmp_path, capsys):
    files = ["--json", tmp_path / "all.json", "--html", tmp_path / "all.html"]
    status, out, error = run(capsys, "--all", "--samples", "1", *files)
    assert (status, error) == (0, "")
    names = [op.name for op in own_ops()]
    assert len(names) > 90
    lines = out.splitlines()
    assert lines[0].endswith(": pass")
    assert {line.split()[0] for line in lines if line.endswith(" s  pass")} == set(names)
    assert f"{len(names)} ops: {len(names)} pass; " in out
    data = json.loads((tmp_path / "all.json").read_text())
    assert [r["name"] for r in data["results"]] == names
    assert all(r["verdict"] == "pass" and r["reports"] == [] and r["checks"] for r in data["results"])
    assert sum(r["entries"] for r in data["results"]) > 500
    page = Page((tmp_path / "all.html").read_text())
    assert {f"op-{name}" for name in names} <= page.ids


def test_among_all_a_planted_error_comes_first_and_can_be_checked_again(few, tmp_path, capsys):
    with planted(registry["Tanh"], 0, PLANTED["sign flipped"]):
        files = ["--json", tmp_path / "a.json", "--html", tmp_path / "a.html"]
        status, out, _ = run(capsys, "--all", "--samples", "2", "--seed", "5", *files)
        again = re.search(r"Again: tinygrad-cnn gradcheck (.*)", out)[1].split()
        assert run(capsys, *again)[0] == 1
    assert status == 1
    rows = [line.split()[0] for line in out.splitlines() if re.search(r" s  (pass|FAIL)$", line)]
    assert rows == ["Tanh", "Exp", "Argmax"]
    assert "3 ops: 2 pass, 1 fail; " in out
    assert again == ["Tanh", "--seed", "5", "--samples", "2"]
    reports = {r["name"]: len(r["reports"]) for r in json.loads((tmp_path / "a.json").read_text())["results"]}
    assert reports == {"Exp": 0, "Tanh": 2, "Argmax": 0}
    text = (tmp_path / "a.html").read_text()
    assert text.index('id="op-Tanh"') < text.index('id="op-Exp"')
    assert re.search(r'<details class="op" id="op-Tanh" open>', text)
    assert re.search(r'<details class="op" id="op-Exp">', text)
    assert "tinygrad-cnn gradcheck Tanh --seed 5 --samples 2" in text
    assert run(capsys, *again)[0] == 0


def parsed(*words):
    parser = argparse.ArgumentParser()
    gradcheck.add_arguments(parser)
    return parser.parse_args(words)


WITHOUT = {"target", "all", "shape", "vjp", "backward", "low", "high", "json", "html", "plot"}
"""What the command to check an op again does not repeat: what was checked, what ops refuse, where the report goes."""


@pytest.mark.parametrize("option", sorted(set(vars(parsed())) - WITHOUT))
def test_the_command_to_check_again_repeats_every_option(option):
    tried = 0
    for value in ("0", "1", "2", "0.5", "1e-07", "float32", None):
        words = [f"--{option}"] if value is None else [f"--{option}", value]
        try:
            args = parsed("--all", *words)
        except SystemExit:  # not a value of this option
            continue
        tool, command, *again = shlex.split(gradcheck.again(args, Outcome("Exp", "elementwise")))
        assert (tool, command) == ("tinygrad-cnn", "gradcheck")
        wanted = {**vars(args), "all": False, "target": "Exp", "samples": 10 if args.samples is None else args.samples}
        assert vars(parsed(*again)) == wanted
        tried += 1
    assert tried


def test_the_command_to_check_again_repeats_no_default():
    again = gradcheck.again(parsed("--all", "--order", "1", "--dtype", "float64"), Outcome("Exp", "elementwise"))
    assert again == "tinygrad-cnn gradcheck Exp --seed 0 --samples 10"


def test_the_same_seed_finds_the_same(few, capsys):
    def numbers():
        run_ = json.loads(run(capsys, "--all", "--json", "-")[1])
        return [(r["samples"], r["worst_ratio"], r["entries"]) for r in run_["results"]]

    assert numbers() == numbers()


# JSON


def test_json_holds_reports_that_can_be_read_again(mine, capsys):
    status, out, error = run(
        capsys, "mine.py:softplus", "--vjp", "mine.py:softplus_wrong", "--shape", "2", "--samples", "3", "--json", "-"
    )
    assert status == 1
    assert "FAIL  mine.py:softplus" in error

    def never(text):
        raise AssertionError(f"{text} is no JSON")

    data = json.loads(out, parse_constant=never)
    assert set(data) == {"tool", "verdict", "seconds", "options", "results"}
    assert data["options"]["vjp"] == "mine.py:softplus_wrong"
    (result,) = data["results"]
    assert {"name", "family", "verdict", "checks", "samples", "entries", "worst_ratio", "reports"} <= set(result)
    assert len(result["reports"]) == len(result["samples"]) == 3
    for text in map(json.dumps, result["reports"]):
        report = Report.from_json(text)
        assert report.verdict is Verdict.FAIL
        assert report.diagnoses[0].kind == "sign"
        assert json.loads(report.to_json()) == json.loads(text)


def test_what_a_function_prints_does_not_get_into_the_json(mine, capsys):
    status, out, error = run(capsys, "mine.py:prints", "--shape", "2", "--json", "-")
    assert status == 0
    assert json.loads(out)["verdict"] == "pass"
    assert "I am here" in error


def test_an_infinite_ratio_is_valid_json(mine, capsys):
    (mine / "nan.py").write_text("import numpy as np\ndef f(x): return x * 2\ndef vjp(g, x): return g * np.nan\n")
    status, out, _ = run(capsys, "nan.py:f", "--vjp", "nan.py:vjp", "--shape", "2", "--json", "-")
    assert status == 1
    assert json.loads(out)["results"][0]["worst_ratio"] == "inf"


# The page


VOID = {"meta", "input", "br", "hr", "img", "link", "path"}


class Page(HTMLParser):
    """Parses a page and refuses what is not closed, not unique, or points outside."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.words, self.levels = [], set(), set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []
        assert self.links <= self.ids

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        assert tag not in ("link", "iframe", "object", "embed", "base", "img")
        assert not {"src", "srcset", "action", "poster", "data", "onclick"} & set(found)
        if tag == "th":
            assert found["scope"] in ("col", "row")
        if tag == "svg":
            assert found["role"] == "img"
            assert found["aria-label"]
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if "id" in found:
            assert found["id"] not in self.ids
            self.ids.add(found["id"])
        if "href" in found:
            assert found["href"].startswith("#")
            self.links.add(found["href"][1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in ("rect", "line", "circle", "polyline", "path")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.words.append(text)


def test_the_page_is_well_formed_and_needs_nothing_from_outside(few, tmp_path, capsys):
    with planted(registry["Tanh"], 0, PLANTED["sign flipped"]):
        assert run(capsys, "--all", "--html", tmp_path / "a.html")[0] == 1
    text = (tmp_path / "a.html").read_text()
    page = Page(text)
    for word in ("http:", "https:", "//", "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert word not in text
    assert page.levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:], strict=False))
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    for part in ("prefers-color-scheme: dark", 'name="viewport"', "<caption>", "<title>", "aria-live"):
        assert part in text
    words = " ".join(page.words)
    for part in (
        "y = tanh x; dx = g",
        "All real numbers; drawn between -3 and 3.",
        "none declared",
        "linear in cotangent",
    ):
        assert part in words
    assert text.count('aria-label="Exp: ') == 1


def test_what_users_name_is_escaped(mine, capsys):
    (mine / "odd.py").write_text('def f(x):\n    """1 < 2 & <script>alert(1)</script>"""\n    return x * 2\n')
    assert run(capsys, "odd.py:f", "--shape", "2", "--html", "odd.html")[0] == 0
    text = (mine / "odd.html").read_text()
    assert "&lt;script&gt;alert(1)" in text
    assert text.count("<script>") == 1
    Page(text)


def test_the_histogram_counts_by_decade():
    counts = binned([0.0, 1e-9, 0.05, 0.5, 1.0, 3.0, 50.0, 1e5, float("inf")])
    assert counts == [2, 0, 0, 0, 0, 0, 0, 1, 2, 1, 1, 2]
    assert sum(counts[-3:]) == 4  # above 1


def test_the_curve_is_drawn_where_differences_are_exact_or_missing():
    entry = Entry(0, "x", (0,), 2.0, 0.0, 0.0, Verdict.FAIL, steps=((0.1, 0.0), (0.05, 0.0), (0.01, float("nan"))))
    drawn = step_curve(entry, 1e-16)
    assert drawn.count("<circle") == 2
    assert "nan" not in drawn
    assert step_curve(Entry(0, "x", (), 2.0, 0.0, 0.0, Verdict.FAIL), 0.0) == ""


def test_ratios_are_measured_by_bar_and_tolerance():
    entries = (
        Entry(0, "x", (0,), 1.0 + 2e-5, 1.0, 1e-5, Verdict.PASS, allowed=1e-5),
        Entry(0, "x", (1,), 3.0, 1.0, 0.0, Verdict.FAIL, allowed=1e-5),
        Entry(0, "x", (2,), 0.0, 5.0, 1e-5, Verdict.PASS, one_sided=(-1.0, 1.0), allowed=5e-5),
        Entry(0, "x", (3,), float("nan"), 1.0, 0.0, Verdict.FAIL),
        Entry(0, "x", (4,), 0.0, 0.0, 0.0, Verdict.PASS, reason="not judged: the input is inf"),
    )
    report = Report("f", entries, dtypes={0: "float64"}, shapes={0: (5,)})
    found = {e.place[0]: ratio for e, ratio in rated(report)}
    assert found[0] == pytest.approx(1.0)
    assert found[1] == pytest.approx(2e5)
    assert (found[2], found[3]) == (0.0, float("inf"))
    assert next(e.place for e, _ in rated(report)) == report.worst.place
    assert len(ratios(report)) == 4


def test_an_outcome_fails_before_it_is_inconclusive():
    doubtful = Report("f", (Entry(0, "x", (), 1.0, 1.0, 9.0, Verdict.INCONCLUSIVE),))
    assert Outcome("f", "function", reports=(doubtful,)).verdict is Verdict.INCONCLUSIVE
    assert Outcome("f", "function", reports=(doubtful,), trials=(Trial("kinks", 1, ("no",)),)).verdict is Verdict.FAIL


# Files


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_failure_while_writing_leaves_the_old_file(mine, capsys, monkeypatch, option):
    target = mine / "report"
    target.write_text("as it was")

    def broken(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", broken)
    status, _, error = run(capsys, "mine.py:tanh_of_product", "--shape", "1,1", "--shape", "1,1", option, target)
    assert status == 2
    assert f"{option} {target}: cannot be written (No space left on device)" in error
    assert target.read_text() == "as it was"
    assert sorted(p.name for p in mine.iterdir() if p.suffix != ".py" and p.name[0] != "_") == ["report"]


def test_unwritable_files_are_noticed_before_anything_is_checked(mine, capsys, monkeypatch):
    monkeypatch.setattr(gradcheck, "load", lambda text: pytest.fail("it began"))
    for option in ("--json", "--html"):
        assert "nothing was checked" in refused(capsys, "Tanh", option, mine)
        assert "cannot be written" in refused(capsys, "Tanh", option, mine / "none" / "a")


def test_a_picture_is_drawn_if_there_is_matplotlib(mine, capsys):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install matplotlib")
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        assert run(capsys, "mine.py:prints", "--shape", "2", "--plot", name)[0] == 0
        assert (mine / name).read_bytes().startswith(start)


def test_the_picture_is_of_the_report_that_fails(mine, capsys):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install matplotlib")
    pair = ["mine.py:softplus", "--vjp", "mine.py:softplus_wrong", "--shape", "2"]
    assert run(capsys, *pair, "--plot", "a.svg")[0] == 1
    assert run(capsys, "mine.py:softplus", "--shape", "2", "--plot", "b.svg")[0] == 0
    failing, right = ((mine / name).read_text() for name in ("a.svg", "b.svg"))
    assert "softplus: fail, 2 entries" in failing
    assert "wrong sign" in failing
    assert "softplus: pass, 2 entries" in right


def test_without_matplotlib_it_is_said_before_anything_is_checked(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "--plot needs matplotlib; install it with pip install" in refused(capsys, "Tanh", "--plot", "a.png")


# Wrong use


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "nothing to check was named; give module:function, the name of an op such as Conv2D, or --all"),
        ("Tanh --all", "'Tanh' and --all were both given; leave out one of them"),
        ("conv2d", "there is no op 'conv2d'; did you mean Conv2D"),
        ("Nonsense", "there is no op 'Nonsense'; `tinygrad-cnn gradcheck --all` lists them. For a function,"),
        ("mine.py", "'mine.py' names no function; write module:function or path/to/file.py:function"),
        ("mine.py:", "'mine.py:' names no function"),
        (":softplus", "':softplus' names no function"),
        ("none.py:f", "none.py: there is no such file"),
        ("./mine.txt:f", "mine.txt: there is no such file"),
        ("no_such_module:f", "there is no module 'no_such_module', neither in this folder"),
        ("numpy.no_such:f", "there is no module 'numpy.no_such'"),
        ("mine.py:softplas", "mine.py has no 'softplas'; did you mean softplus"),
        ("mine.py:xyzzy", "mine.py has no 'xyzzy'; name a function that it defines"),
        ("mine.py:number --shape 2", "mine.py:number is a float, which cannot be called; name a function"),
        ("mine.py:tanh_of_product", "give the --shape of each input: x, w"),
        ("mine.py:tanh_of_product --shape 2,3", "takes (x, w) and was given 1 --shape: missing a required argument"),
        ("mine.py:softplus --shape 2 --shape 3", "takes (x) and was given 2 --shapes: too many positional arguments"),
        ("mine.py:softplus --shape 2 --vjp mine.py:softplus", "was given the cotangent and 1 input"),
        ("mine.py:softplus --shape 2 --vjp mine.py:Layer", "--vjp mine.py:Layer names a class"),
        ("mine.py:softplus --shape 2 --vjp mine.py:none", "mine.py has no 'none'"),
        ("mine.py:softplus --shape 2 --vjp mine.py:softplus_vjp --order 2", "--order 2 needs a recorded gradient"),
        ("mine.py:softplus --shape a", "'a' is no shape; write whole numbers as in 2,3"),
        ("mine.py:softplus --shape 2,,3", "'2,,3' is no shape"),
        ("mine.py:softplus --shape=-1", "'-1' is no shape"),
        ("mine.py:softplus --shape 2,0", "'2,0' has no elements, so there is nothing to check"),
        ("mine.py:softplus --shape 100000,100000", "has more than 50,000,000 elements"),
        ("mine.py:softplus --shape 2 --low 3", "--low 3 is not below --high 2"),
        ("mine.py:softplus --shape 2 --low nan", "'nan' must be a number from -1e+100 to 1e+100"),
        ("mine.py:softplus --shape 2 --high x", "'x' must be a number from"),
        ("mine.py:softplus --shape 2 --eps 0", "must be a number from 1e-100 to 1e+100"),
        ("mine.py:softplus --shape 2 --atol=-1", "'-1' must be a number from 0 to"),
        ("mine.py:softplus --shape 2 --samples 0", "must be a whole number from 1 to 100,000"),
        ("mine.py:softplus --shape 2 --seed=-1", "must be a whole number from 0 to"),
        ("mine.py:softplus --shape 2 --dtype int64", "invalid choice"),
        ("mine.py:softplus --shape 2 --order 3", "invalid choice"),
        ("mine.py:detached --shape 2", "returned ndarray; expected a Tensor or a tuple of Tensors; for a function of"),
        ("mine.py:detached --shape 2 --order 2", "for a function of NumPy arrays, name its VJP with --vjp"),
        ("mine.py:whole --shape 2", "no output has a derivative (the function returns int64)"),
        ("Tanh --shape 2", "--shape is for functions; Tanh draws inputs of its own: leave --shape out"),
        ("Tanh --vjp mine.py:f", "--vjp is for functions"),
        ("--all --low 1", "--low is for functions; --all draws inputs of its own"),
        ("--all --high 1", "--high is for functions"),
        ("--all --plot a.png", "--plot draws one report; with --all, write a page with --html"),
        ("Argmax --plot a.png", "Argmax has no derivative, so there is nothing to draw; leave --plot out"),
        ("Tanh --plot a.gif", "--plot a.gif: the name must end with .png, .svg or .pdf"),
        ("Tanh --json a --html ./a", "--json a and --html ./a name the same file"),
        ("tinygrad_cnn.nn.functional:conv2d --shape 2 --shape 3", "conv2d: input has shape (2,); expected 3 or 4 dims"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_sentence_that_says_what_to_do(mine, capsys, words, message):
    assert message in refused(capsys, *words.split())
    assert {p.name for p in mine.iterdir()} <= {"mine.py", "__pycache__"}


def test_a_file_of_another_kind_is_refused(mine, capsys):
    (mine / "notes.txt").write_text("f")
    assert "notes.txt is not a .py file" in refused(capsys, "./notes.txt:f", "--shape", "2")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mine.py:raises", "mine.py:raises raises ValueError: no such thing (inputs: x 2, float64, between -2 and 2)"),
        ("mine.py:ends", "mine.py:ends ends the program"),
    ],
)
def test_what_a_function_raises_is_shown_from_its_own_first_line(mine, capsys, target, said):
    status, _, error = run(capsys, target, "--shape", "2")
    assert status == 2
    lines = error.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert str(mine / "mine.py") in lines[1]
    assert said in lines[-1]
    assert "tinygrad_cnn" not in "".join(lines[:-1])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_neighbour", "importing broken.py raises ModuleNotFoundError: No module named 'no_such_n"),
        ("def f(x:", "importing broken.py raises SyntaxError"),
        ("raise SystemExit", 'broken.py ends the program; put what it does behind if __name__ == "__main__":'),
        ("1 / 0", "importing broken.py raises ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_what_importing_raises_is_shown_without_our_frames(mine, capsys, source, said):
    (mine / "broken.py").write_text(source)
    status, _, error = run(capsys, "broken.py:f", "--shape", "2")
    assert status == 2
    assert said in error.splitlines()[-1]
    assert "broken.py" in error.splitlines()[1 if "Trace" in error else 0]
    assert "targets.py" not in error
    assert "importlib" not in error


def test_importing_leaves_the_path_as_it_was(mine, capsys):
    before = list(sys.path)
    run(capsys, "mine.py:softplus", "--shape", "2")
    run(capsys, "mine.py:raises", "--shape", "2")
    assert sys.path == before


def test_an_error_of_our_own_is_not_blamed_on_the_user(mine, monkeypatch):
    monkeypatch.setattr("tinygrad_cnn.gradcheck.check.check_function", None)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        main(["gradcheck", "mine.py:softplus", "--shape", "2"])


# The terminal


@pytest.mark.parametrize("width", [80, 100])
def test_on_a_terminal_there_are_a_bar_and_tables_that_fit(monkeypatch, width):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    with planted(registry["MaxPool2D"], 0, PLANTED["zeroed"]):
        outcomes = [check_op(registry[name], samples=2) for name in ("Exp", "MaxPool2D")]
    out = Terminal()
    progress = gradcheck_display.progress_for(out)
    assert isinstance(progress, gradcheck_display.Bar)
    progress.start(2)
    for outcome in outcomes:
        progress.begin(outcome.name)
        progress.end(outcome)
    progress.stop()
    assert any("2/2" in line for line in out.lines)
    assert any(line.startswith("FAIL  MaxPool2D: dropped: no gradient comes back") for line in out.lines)
    out = Terminal()
    gradcheck_display.print_table(outcomes, 1.0, out)
    gradcheck_display.print_outcome(outcomes[1], "again", out)
    assert max(map(len, out.lines)) <= width
    assert sum("→" in line for line in out.lines) == 1
    assert any("It looks like this (dropped)" in line for line in out.lines)
    assert [line.split()[0] for line in out.lines if re.search(r" s +(pass|FAIL)$", line)] == ["MaxPool2D", "Exp"]


def test_without_rich_there_are_plain_lines(monkeypatch):
    monkeypatch.setattr(display, "RICH", False)
    out = Terminal()
    assert type(gradcheck_display.progress_for(out)) is gradcheck_display.Plain
    gradcheck_display.print_outcome(check_op(registry["Exp"], samples=1), "", out)
    assert out.text.startswith("pass  Exp: 9 of 9 checks passed, 1 sample, ")
    assert "\x1b" not in out.text


def test_ops_are_of_the_package_alone():
    assert all(issubclass(op, Op) and op.__module__.startswith("tinygrad_cnn.") for op in own_ops())
