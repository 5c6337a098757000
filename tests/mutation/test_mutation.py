"""The program that judges the gradient tests, judged: its mutants, its verdicts, its memory."""

import ast
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import numpy as np
import pytest

from scripts.mutation import __main__ as command
from scripts.mutation import report
from scripts.mutation.areas import AREAS
from scripts.mutation.run import Fate, Mutant, controls, counts, drawn, keep, known, mutants, run
from scripts.mutation.run import tests_of as answering
from scripts.mutation.targets import Target, targets
from scripts.mutation.trial import ROOT, Death, mutated, trial
from tests.profiles import THOROUGH
from tinygrad_cnn.core.elementwise import Mul
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.learn.operators import OPERATORS, Mutation, compiled, definition, mutations

pytestmark = pytest.mark.usefixtures("given_back")  # the program chooses kernels and threads

ALL = list(targets())
RULES = [target for target in ALL if target.kind != "tested"]
TESTED = [target for target in ALL if target.kind == "tested"]
TARGETS = {target.name: target for target in ALL}
MUL = TARGETS["core.elementwise.Mul.d_a"]


def function(source):
    (found,) = ast.parse(textwrap.dedent(source)).body
    return found


def test_the_mutants_of_a_quotient_are_these():
    source = """
    def d_x(g: Array, x: Array) -> Array:
        return g / x
    """
    assert {(m.operator, m.after) for m in mutations(function(source))} == {
        ("sign", "return -(g / x)"),
        ("arithmetic", "return g * x"),
        ("arithmetic", "return g - x"),
        ("dropped term", "return g"),
        ("dropped term", "return x"),
        ("swapped", "return x / g"),
        ("operand", "return x / x"),
        ("operand", "return g / g"),
    }


@pytest.mark.parametrize(
    ("operator", "statement", "expected"),
    [
        ("sign", "return -g * x", "return g * x"),
        ("sign", "return g - x", "return -g - x"),
        ("operand", "return f(g, k)", "return f(x, k)"),
        ("arithmetic", "y += g", "y = g"),
        ("arithmetic", "y += g", "y -= g"),
        ("axis", "return np.sum(g, axis=axis)", "return np.sum(g, axis=-1)"),
        ("axis", "return np.flip(g, axis)", "return np.flip(g, 1)"),
        ("constant", "return g * 0.5", "return g * 1.0"),
        ("constant", "return g * 2", "return g * 1"),
        ("constant", "return f(g, True)", "return f(g, False)"),
        ("dropped call", "return unbroadcast(g, x)", "return g"),
        ("dropped call", "return g.astype(x)", "return g"),
        ("dropped call", "return g.T", "return g"),
        ("dropped keyword", "return np.sum(g, axis=k, keepdims=True)", "return np.sum(g, axis=k)"),
        ("keepdims", "return np.sum(g, keepdims=True)", "return np.sum(g, keepdims=False)"),
        ("keepdims", "return f(g, keepdim)", "return f(g, not keepdim)"),
        ("swapped", "return f(g, x)", "return f(x, g)"),
        ("swapped", "return g @ x", "return x @ g"),
        ("mask", "return g * (x > 0)", "return g * (x >= 0)"),
        ("mask", "return g * (x > 0)", "return g * True"),
        ("mask", "return np.where(k, g, 0)", "return g"),
        ("mask", "return np.logical_and(k, g)", "return g"),
        ("bounds", "return g[1:k]", "return g[1 + 1:k]"),
        ("bounds", "return g[:k]", "return g[:k - 1]"),
        ("bounds", "return g[::-1]", "return g[:]"),
        ("bounds", "return range(k)", "return range(k + 1)"),
        ("branch", "return g if k else x", "return x"),
        ("branch", "return f(k and g)", "return f(k or g)"),
        ("branch", "return not k", "return k"),
        ("branch", "return [a for a in x if a]", "return [a for a in x]"),
        ("function", "return np.sin(x)", "return np.cos(x)"),
        ("dropped statement", "x[k] = g", "pass"),
        ("dropped statement", "y += g", "pass"),
    ],
)
def test_an_operator_makes_what_it_says(operator, statement, expected):
    found = mutations(function(f"def d_x(g: Array, x: Array, *, axis: int, keepdim: bool, k: int):\n    {statement}"))
    assert (operator, expected) in {(m.operator, m.after) for m in found}


def test_every_operator_is_shown_above():
    (mark,) = [m for m in test_an_operator_makes_what_it_says.pytestmark if m.name == "parametrize"]
    assert {operator for operator, *_ in mark.args[1]} | {"dropped term"} == set(OPERATORS)


def test_what_no_result_depends_on_is_left_alone():
    source = """
    def f(x: int = 3) -> int:
        "Twice 1."
        if g:
            raise ValueError(f"{x + 1}")
        share(a, cost=x + 1)
        return zip(a, b, strict=True), np.maximum(a, b)
    """
    changed = {m.after for m in mutations(function(source))}
    assert not [text for text in changed if "raise" in text or "cost" in text or "strict=False" in text]
    assert "return (zip(a, b), np.maximum(a, b))" not in changed
    assert "return (zip(a, b, strict=True), np.maximum(b, a))" not in changed


def test_the_same_statement_in_two_places_is_named_apart():
    source = """
    def f(x):
        if x:
            y = -x
        else:
            y = -x
        return y
    """
    labels = [m.label for m in mutations(function(source)) if m.operator == "sign" and m.before == "y = -x"]
    assert labels == ["y = -x  →  y = x", "y = -x  →  y = x  [2]"]


@pytest.fixture(scope="module")
def everything():
    """The mutations of rules and kernels, and of every tenth of the other functions, by target."""
    return {target.name: list(mutations(target.definition)) for target in (*RULES, *TESTED[::10])}


def test_mutants_of_the_package_compile_and_are_all_different(everything):
    for target in (*RULES, *TESTED[::10]):
        found = everything[target.name]
        assert len({m.label for m in found}) == len(found)
        assert (
            len({ast.unparse(m.function) for m in found[:20]} | {ast.unparse(target.definition)}) == len(found[:20]) + 1
        )
        for mutation in found[:3]:
            assert compiled(mutation.function).co_freevars == ()


def test_every_rule_of_the_registry_is_a_target():
    rules = {rule.function for op in registry.values() for rule in op.rules if rule is not None}
    assert {f for f in rules if f.__module__.startswith("tinygrad_cnn.")} <= {t.function for t in ALL}
    assert all(set(t.ops) <= set(registry) for t in ALL)
    assert len({t.name for t in ALL}) == len(ALL)


def test_every_area_has_functions_and_their_tests_are_there():
    assert {t.area for t in ALL} == {*AREAS} - ({"compiled"} if find_spec("numba") is None else set())
    for target in ALL:
        assert all((ROOT / test.partition("::")[0]).exists() for test in target.tests)
        assert bool(target.ops) != (target.kind == "tested")
        assert target.function.__name__ not in AREAS[target.area].left_out


def test_nothing_is_killed_that_nobody_mutated():
    unchanged = [m for m in controls(RULES) if not m.target.tests]
    assert {name for m in unchanged for name in m.target.ops} >= {n for t in RULES if not t.tests for n in t.ops}
    some = unchanged if THOROUGH else unchanged[::8]
    assert [fate for fate in run(some, samples=4) if fate.killed] == []


def test_a_mutant_lives_inside_the_block_only():
    wrong = function("def d_a(g, b):\n    return g")
    with mutated(MUL, compiled(wrong)):
        assert Mul.d_a(2.0, 3.0) == 2.0
        assert trial(MUL, samples=10).check == "first_order"
    assert Mul.d_a(2.0, 3.0) == 6.0
    assert trial(MUL, samples=10) is None


def by_hand(source, target=MUL):
    """A mutant that somebody wrote."""
    changed = function(source)
    return Mutant(target, Mutation("by hand", "before", ast.unparse(changed), changed), f"{len(source)}")


@pytest.mark.parametrize(
    ("source", "check", "how"),
    [
        ("def d_a(g, b):\n    return g - b", "first_order", "said"),
        ("def d_a(g, b):\n    return nobody", "first_order", "raised"),
        ("def d_a(g, b):\n    while True: pass", "time", "raised"),
        ("def d_a(g, b):\n    return np.ones(1 << 40)", "first_order", "raised"),
        ("def d_a(g, b):\n    import os; os.kill(os.getpid(), 9)", "crash", "raised"),
        ("def d_a(g, b):\n    return b * g", "", ""),
    ],
)
def test_a_mutant_is_judged_in_a_process_of_its_own(source, check, how):
    (fate,) = run([by_hand(source)], samples=10, seconds=1.0)
    assert (fate.check, fate.how, fate.killed) == (check, how, bool(check))
    assert Mul.d_a(2.0, 3.0) == 6.0


def test_two_jobs_judge_as_one():
    some = list(mutants([MUL, TARGETS["core.elementwise.Log.d_x"]]))
    one, two = (sorted(run(some, jobs=jobs, samples=5)) for jobs in (1, 2))
    assert one == two
    assert len(one) == len(some)


def test_an_interrupted_run_goes_on(tmp_path, capsys):
    path = tmp_path / "deep" / "state.jsonl"
    some = list(mutants([TARGETS["core.elementwise.Log.d_x"]]))
    assert run(some, path=path, until=float("-inf")) == []
    first = run(some[:3], samples=5, path=path)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut o')
    assert known(path) == {fate.key: fate for fate in first}
    keep(path, known(path).values())
    arguments = ["--ops", "elementwise.Log.d_x", "--state", str(path), "--samples", "5"]
    assert command.main(arguments) == 0
    assert set(known(path)) >= {m.key for m in some}
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(known(path))  # nothing was tried twice
    assert f"{len(some)} mutants, 0 to be tried" in capsys.readouterr().out


def test_results_of_another_source_are_forgotten(tmp_path, monkeypatch):
    def one(g, x):
        return g / x

    def two(g, x):
        return (g / x) * 1.0

    keys = [{m.key for m in mutants([Target("ops.x", f, ("Log",), "rule")])} for f in (one, two)]
    assert not keys[0] & keys[1]

    path, rule = tmp_path / "state.jsonl", TARGETS["core.elementwise.Log.d_x"]
    stale = Fate("old", rule.name, "sign", "a  →  b", "", "", "")
    keep(path, [stale])
    monkeypatch.setattr(command, "targets", lambda: [rule])
    monkeypatch.setattr(report.Explanations, "read", classmethod(lambda cls: report.Explanations({})))
    assert command.main(["--state", str(path), "--samples", "5"]) == 0
    assert "old" not in known(path)


def test_a_result_depends_on_the_checks(monkeypatch, tmp_path):
    before = {m.key for m in mutants([MUL])}
    judge = tmp_path / "battery.py"
    judge.write_text("other checks", encoding="utf-8")
    monkeypatch.setattr("scripts.mutation.run.JUDGES", (str(judge),))
    assert not before & {m.key for m in mutants([MUL])}


def test_what_survived_is_tried_again_when_tests_are_added(monkeypatch):
    (mutant, *_) = mutants([next(t for t in TESTED if t.name == "optim.rules.follow")])
    killed, survived = (fate._replace(tests=answering(mutant.target)) for _, fate in map(some_fate, [mutant] * 2, "x "))
    survived = survived._replace(check="")
    assert counts(mutant, killed)
    assert counts(mutant, survived)
    assert not counts(mutant, None)
    monkeypatch.setattr("scripts.mutation.run.tests_of", lambda target: "others")
    assert counts(mutant, killed)
    assert not counts(mutant, survived)


def some_fate(mutant, check=""):
    return mutant, Fate(
        mutant.key, mutant.target.name, mutant.mutation.operator, mutant.mutation.label, check, "said", ""
    )


def test_survivors_must_be_explained_and_explanations_true():
    first, second, *_ = mutants([MUL])
    none, one = report.Explanations({}), report.Explanations({(MUL.name, first.mutation.label): "because"})
    assert report.problems([some_fate(first)], one, [first]) == []
    assert "survived: core.elementwise.Mul.d_a" in report.problems([some_fate(first)], none, [first])[0]
    assert "explained, but killed by kinks" in report.problems([some_fate(first, "kinks")], one, [first])[0]
    assert "explained, but no mutant" in report.problems([some_fate(second, "kinks")], one, [second])[0]
    assert report.problems([some_fate(second, "kinks")], one) == []


def test_the_page_counts_what_it_lists():
    first, second, third, *_ = mutants([MUL])
    done = [some_fate(first), some_fate(second, "kinks"), some_fate(third, "kinks")]
    there = [first, second, third]
    key = (MUL.name, first.mutation.label)
    page = report.page(done, there, report.Explanations({key: "A reason."}), samples=7, seconds=3)
    assert "**2 are killed (66.7%)**" in page
    assert "**100.0% of 2**" in page
    assert "| `Mul` | 3 | 2 | 1 | 0 | 66.7% | 100.0% |" in page
    assert "A reason." in page
    assert "| kinks | 2 | 0 |" in page
    assert "| Rules of the ops, and what they are made of (`rules`) | 1 | 3 | 3 | 2 | 1 | 0 | 100.0% | – |" in page
    assert "**Not explained.**" in report.page(done, there, report.Explanations({}), samples=7, seconds=3)
    differs = report.page(done, there, report.Explanations({key: "A gap."}, frozenset([key])), samples=7, seconds=3)
    assert "**66.7% of 3**" in differs
    assert "A gap." in differs
    part = report.page(done, [*there, first], report.Explanations({}), samples=7, seconds=3)
    assert "| 1 | 4 | 3 | 2 | 0 | 1 | 66.7% | 20.8–93.9% |" in part


def test_a_mutant_is_explained_once_and_with_a_reason(tmp_path):
    path = tmp_path / "equivalents.toml"
    path.write_text('[[equivalent]]\nof = "f"\nwhy = "w"\nmutants = ["a", "a"]\n', encoding="utf-8")
    with pytest.raises(ValueError, match="explained twice"):
        report.Explanations.read(path)
    path.write_text('[[equivalent]]\nof = "f"\nwhy = " "\nmutants = ["a"]\n', encoding="utf-8")
    with pytest.raises(ValueError, match="not at all"):
        report.Explanations.read(path)


def test_every_explanation_is_of_a_mutant_that_there_is(everything):
    explained = {of for of, _ in report.Explanations.read().why}
    more = {t.name: list(mutations(t.definition)) for t in TESTED if t.name in explained}
    there = {(name, m.label) for name, found in {**everything, **more}.items() for m in found}
    if find_spec("numba") is None:
        there |= {key for key in report.Explanations.read().why if key[0].startswith("kernels.compiled.")}
    assert set(report.Explanations.read().why) <= there


def test_the_page_gives_every_reason():
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    assert [why for why in report.Explanations.read().why.values() if why not in page] == []
    assert "**Not explained.**" not in page


def test_the_sample_is_always_the_same_and_fails_on_a_survivor(monkeypatch, capsys):
    rule = TARGETS["ops.piecewise.Sign.d_x"]  # minus zero is zero
    every = list(mutants([rule]))
    assert command.sample(every, 100, 1) == 0
    monkeypatch.setattr(report.Explanations, "read", classmethod(lambda cls: report.Explanations({})))
    assert command.sample(every, 100, 1) == 1
    assert "survived: ops.piecewise.Sign.d_x" in capsys.readouterr().out
    tried = []
    monkeypatch.setattr(command, "run", lambda queue, **_: tried.append([m.key for m in queue]) or [])
    command.sample(every, 1, 1)
    command.sample(every[::-1], 1, 1)
    assert tried[0] == tried[1]
    assert len(tried[0]) == 1


def test_an_area_is_tried_in_part_and_always_the_same_part():
    some = list(mutants(TESTED[:40:5]))
    ranked = drawn(some, len(some))
    assert sorted(map(id, ranked)) == sorted(map(id, some))
    assert drawn(some[::-1], 7) == ranked[:7]
    assert drawn(some) == [
        m for area in AREAS for m in [r for r in ranked if r.target.area == area][: AREAS[area].size]
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("optim.rules.follow", "average += change  →  average -= change"),
        ("autograd.hooks.RemovableHandle.remove", "self._hooks.remove(self._hook)  →  self._hooks"),
        pytest.param(
            "kernels.compiled.elementwise._row_sums",
            "total += _sum(rows[c, start:start + 4096])  →  total -= _sum(rows[c, start:start + 4096])",
            marks=pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed"),
        ),
    ],
)
def test_the_tests_of_the_package_kill_a_mutant_in_a_process_of_its_own(name, label):
    program = f"""
from scripts.mutation.run import mutants, run, controls
from scripts.mutation.targets import targets
(target,) = [t for t in targets() if t.name == {name!r}]
(mutant,) = [m for m in mutants([target]) if m.mutation.label == {label!r}]
(fate,) = run([mutant])
print(fate.killed, fate.check)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("True tests/"), (done.stdout, done.stderr)


def test_a_page_needs_every_result(tmp_path, capsys):
    arguments = ["--ops", "elementwise.Neg.d_x", "--samples", "5", "--state", str(tmp_path / "state.jsonl")]
    assert command.main([*arguments, "--out", str(tmp_path)]) == 1
    assert "--out needs the results of every mutant" in capsys.readouterr().out
    assert not (tmp_path / "mutation.md").exists()


def test_a_false_kill_stops_the_run(tmp_path, monkeypatch, capsys):
    tested = Target(MUL.name, MUL.function, (), "tested")
    monkeypatch.setattr(command, "targets", lambda: [tested])
    monkeypatch.setattr(
        "scripts.mutation.run.trial", lambda *_: Death("first_order", "said", "wrong")
    )  # forked with us
    assert command.main(["--ops", MUL.name, "--samples", "5", "--state", str(tmp_path / "state.jsonl")]) == 1
    assert "Killed though not mutated" in capsys.readouterr().out


def test_a_check_that_the_right_function_fails_decides_nothing(monkeypatch):
    def refuses(*_):
        raise ValueError("too coarse")

    monkeypatch.setattr("scripts.mutation.trial.CHECKS", (refuses,))
    assert trial(MUL, samples=2).check == "refuses"
    with mutated(MUL, compiled(function("def d_a(g, b):\n    return b * g"))) as right:
        assert trial(MUL, samples=2, right=right) is None


def test_the_definition_of_a_function_is_its_source():
    assert ast.unparse(definition(Mul.d_a)).splitlines()[-1].strip() == "return g * b"
    assert np.isclose(Mul.d_a(2.0, 3.0), 6.0)
