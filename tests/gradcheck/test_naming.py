"""The mistake named by making it: the recording, the edits on the textbook's mistakes, and no names for noise."""

import gc
import time
from time import thread_time

import numpy as np
import pytest

from scripts.naming_score import false_names
from tests.gradcheck.mistakes.fifth import CACHED_RIGHT
from tests.gradcheck.mistakes.fifth import MISTAKES as FIFTH
from tests.gradcheck.mistakes.fifth import OWN_RIGHT as FIFTH_OWN_RIGHT
from tests.gradcheck.mistakes.fifth import RIGHT as FIFTH_RIGHT
from tests.gradcheck.mistakes.fourth import MISTAKES as FOURTH
from tests.gradcheck.mistakes.fourth import OWN_RIGHT
from tests.gradcheck.mistakes.fourth import RIGHT as FOURTH_RIGHT
from tests.gradcheck.mistakes.fresh import MISTAKES as FRESH
from tests.gradcheck.mistakes.second import MISTAKES as SECOND
from tests.gradcheck.mistakes.sixth import CACHED_RIGHT as SIXTH_CACHED_RIGHT
from tests.gradcheck.mistakes.sixth import MISTAKES as SIXTH
from tests.gradcheck.mistakes.sixth import OWN_RIGHT as SIXTH_OWN_RIGHT
from tests.gradcheck.mistakes.sixth import RIGHT as SIXTH_RIGHT
from tests.gradcheck.mistakes.textbook import MISTAKES as TEXTBOOK
from tests.gradcheck.mistakes.third import MISTAKES as THIRD
from tests.gradcheck.mistakes.third import RIGHT
from tests.profiles import THOROUGH
from tinygrad_cnn.gradcheck import Verdict, cached_pair, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.naming.learner import Clock, Learner, close
from tinygrad_cnn.gradcheck.naming.naming import name_mistake
from tinygrad_cnn.gradcheck.naming.place import where_it_leaves
from tinygrad_cnn.gradcheck.naming.program import Forward, Program, Programs
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord, Recorded, Seen, Tape
from tinygrad_cnn.gradcheck.naming.search import Search

QUICK = TEXTBOOK if THOROUGH else [m for m in TEXTBOOK if "conv" not in m.what][::4]
LEARNT = (
    "block: tanh' without the square", "conv: dw of the last window", "conv: stride forgotten in dx",
    "eval: variance for deviation", "log det: not transposed", "pendulum: length not squared",
    "quantile: sides exchanged", "rescaled: both ends constant", "scan: carried with the gate before",
    "sequence: mask inverted", "solve: da with b",
    "clipped: as if not clipped", "logit: times for over", "nearest: g forgotten", "shuffle: only reshaped",
    "shuffle: the same permutation", "squared hinge: not clipped", "variation: n forgotten",
)  # fmt: skip
"""Kinds of mistakes that had no name, or a wrong one, when the third and the fourth set were first run."""
r = np.random.default_rng(3)


def slopes(f, inputs, gs, h=1e-6):
    """The gradients by central differences."""
    found = []
    for k, x in enumerate(inputs):
        d = np.zeros_like(x)
        for i in np.ndindex(x.shape):
            ends = []
            for step in (h, -h):
                moved = [a.copy() for a in inputs]
                moved[k][i] += step
                y = f(*moved)
                ends.append(sum(np.sum(g * v) for g, v in zip(gs, y if isinstance(y, tuple) else (y,), strict=True)))
            d[i] = (ends[0] - ends[1]) / (2 * h)
        found.append(d)
    return found


def rows(x, w):
    out = np.zeros((3, 2))
    for i in range(3):
        out[i] = np.tanh(x[i] @ w)
    return out


def in_place(x, w):
    out = np.zeros_like(x)
    out += x
    out[1:] *= 2
    np.add.at(out, np.array([0, 0, 2]), x)
    return out @ w


def several(x, w):
    y = x @ w
    return y.max(axis=0), np.stack([y[0], y[1] ** 2])


def windows(x, w):
    return np.lib.stride_tricks.sliding_window_view(x, 2, axis=1).sum(axis=(0, 2)) * w.sum()


def inverse(x, w):
    a = x @ x.T + np.eye(3)
    return float(np.float64(0.5)) * np.linalg.inv(a) @ x @ w


def matrices(x, w):
    a = x @ x.T + np.eye(3)
    low = np.linalg.cholesky(a)
    half = np.linalg.solve(low, x[:, 0])
    return half * np.linalg.det(a), np.linalg.slogdet(a)[1] * np.linalg.solve(a, x @ w)


def saturated(x, w):
    return np.tanh(5 * x @ w), 1 / (1 + np.exp(-9 * x))


def comprehension(x, w):
    return np.array([row @ w[:, 0] for row in x]).reshape(-1, order="F")


def convolutions(x, w):
    k = w[:, 0][:3]
    parts = [np.convolve(x[0], k, mode) for mode in ("full", "same", "valid")]
    return np.concatenate([*parts, np.correlate(x[1], k), np.correlate(x[1], k, "full")])


class Layer:
    def forward(self, x, w):
        return np.tanh(x @ w)


def added_in_a_loop(x, w):
    out = np.zeros(6)
    for i in range(3):
        out[i : i + 2] += x[i, :2] * w[i, 0]
        out[i] -= x[i, 3]
    return out


@pytest.mark.parametrize(
    "f",
    [
        rows,
        in_place,
        several,
        windows,
        inverse,
        matrices,
        saturated,
        comprehension,
        convolutions,
        Layer().forward,
        added_in_a_loop,
    ],
)
def test_the_recorded_backward_pass_is_the_gradient(f):
    inputs = [r.normal(size=(3, 4)), r.normal(size=(4, 2))]
    y = f(*inputs)
    gs = [r.normal(size=np.shape(v)) for v in (y if isinstance(y, tuple) else (y,))]
    program = Program(Forward(Seen(f), inputs), gs)
    for found, expected in zip(program.right, slopes(f, inputs, gs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_an_entry_knows_the_expression_that_asked_for_it():
    forward = Forward(Seen(rows), [r.normal(size=(3, 4)), r.normal(size=(4, 2))])
    texts = [e.at.text for e in forward.nodes if e.op_name == "Tanh"]
    assert texts == ["np.tanh(x[i] @ w)"] * 3
    assert [e.name for e in forward.inputs] == ["x", "w"]


def test_a_value_whose_history_would_be_lost_cannot_be_recorded():
    tape = Tape()
    x = Recorded(tape.add(None, [], {}, np.ones(2), True), tape)
    with pytest.raises(CannotRecord, match="history lost"):
        float(x[0])
    with pytest.raises(CannotRecord, match="of another shape"):
        x += np.ones((3, 2))
    plain = np.zeros(2)
    with pytest.raises(ValueError, match="sequence") as error:
        plain[0] = x[0]
    assert isinstance(error.value.__cause__, CannotRecord)


def test_what_cannot_be_recorded_has_no_name():
    assert name_mistake(lambda x: np.fft.fft(x).real, lambda g, x: g, [np.ones(4)]) == []
    with pytest.raises(CannotRecord):
        Learner(lambda x: np.fft.fft(x).real, lambda g, x: g, [np.ones(4)])


@pytest.mark.parametrize("mistake", QUICK, ids=lambda m: m.what)
@pytest.mark.filterwarnings("ignore")
def test_a_textbook_mistake_is_named(mistake):
    failed, first, took = mistake.told()
    assert failed
    assert mistake.is_right(first.message), first
    assert took < 20


@pytest.mark.parametrize("mistake", [m for m in [*THIRD, *FOURTH] if m.what in LEARNT], ids=lambda m: m.what)
@pytest.mark.filterwarnings("ignore")
def test_a_kind_that_a_set_taught_is_named(mistake):
    _, first, _ = mistake.told()
    assert first.kind != "place"
    assert mistake.is_right(first.message), first


@pytest.mark.parametrize(
    "asked", [FRESH, SECOND, THIRD, FOURTH] if THOROUGH else [[*FRESH, *SECOND, *THIRD, *FOURTH][::20]]
)
@pytest.mark.filterwarnings("ignore")
def test_most_fresh_mistakes_are_named(asked):
    right = sum(
        failed and first is not None and m.is_right(first.message) for m in asked for failed, first, _ in [m.told()]
    )
    assert right >= 0.9 * len(asked)


@pytest.mark.parametrize(
    ("function", "vjp", "inputs"),
    [*RIGHT, *FOURTH_RIGHT, *FIFTH_RIGHT, *SIXTH_RIGHT],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_what_a_set_gets_wrong_is_right_without_the_mistake(function, vjp, inputs):
    assert gradcheck(numpy_pair(function, vjp), list(inputs)).verdict is Verdict.PASS
    mistakes = [m for m in [*THIRD, *FOURTH, *FIFTH, *SIXTH] if m.function is function]
    assert mistakes
    for mistake in mistakes:
        wrong = gradcheck(mistake.checked(), list(mistake.inputs), raise_exception=False, explain=False, shrink=False)
        assert wrong.verdict is Verdict.FAIL, mistake.what


@pytest.mark.parametrize(("forward", "backward", "inputs"), [*CACHED_RIGHT, *SIXTH_CACHED_RIGHT])
def test_the_pairs_of_courses_are_right_without_the_mistake(forward, backward, inputs):
    assert gradcheck(cached_pair(forward, backward), list(inputs)).verdict is Verdict.PASS


@pytest.mark.parametrize(("function", "inputs"), [*OWN_RIGHT, *FIFTH_OWN_RIGHT, *SIXTH_OWN_RIGHT])
def test_a_function_of_ones_own_is_right_without_the_mistake(function, inputs):
    assert gradcheck(function, list(inputs)).verdict is Verdict.PASS


@pytest.mark.parametrize("part", range(3 if THOROUGH else 1))
@pytest.mark.filterwarnings("ignore")
def test_what_no_mistake_makes_has_no_name(part):
    asked, named = false_names(500 if THOROUGH else 50, most=40 if THOROUGH else 6, seed=part)
    assert named == []
    assert asked >= 50


def dense(x, w, b):
    return np.maximum(x @ w + b, 0)


DENSE = [
    np.array([[0.5, -1.0], [2.0, 0.3], [0.7, 1.1]]),
    np.array([[1.0, -0.5, 0.2], [0.4, 2.0, -1.0]]),
    np.ones(3) / 4,
]


def test_the_line_of_the_derivative_is_said_with_the_change():
    def dense_vjp(g, x, w, b):
        d = g * (x @ w + b > 0)
        return d @ w.T, x.T @ g, d.sum(axis=0)

    (first, *_) = name_mistake(dense, dense_vjp, DENSE)
    assert first.kind == "mask"
    assert "in the gradient of `w`" in first.message
    assert "write `d` for `g` in `x.T @ g`" in first.message


def test_a_mistake_without_a_name_has_a_place():
    def dense_vjp(g, x, w, b):
        d = g * (x @ w + b > 0)
        strange = np.sin(d) * np.arange(3.0)
        return np.tanh(strange @ w.T), x.T @ d, d.sum(axis=0)

    (first, *_) = name_mistake(dense, dense_vjp, DENSE)
    assert first.kind == "place"
    assert "right up to `d`, the gradient of `x @ w + b`" in first.message
    assert "wrong from `np.sin(d)` on" in first.message


def test_what_fits_a_small_part_of_the_wrong_gradients_comes_behind_a_place():
    """By chance the last turn's mask is 0 wherever the turn before has the other sign: no sentence for all inputs."""
    (mistake,) = (m for m in FOURTH if m.what == "relu rnn: mask of the state before")
    first, *others = name_mistake(mistake.function, mistake.vjp, mistake.inputs, seconds=6)
    assert first.kind == "place"
    assert "wrong from `dh * (hs[t] > 0)` on" in first.message
    assert others
    assert all(n.explains < first.explains and n.cost > first.cost for n in others)


@pytest.mark.parametrize(
    ("what", "says", "never"),
    [
        ("own entropy: labels divided alone", "4 times too large", "axes 0, 1"),
        ("cox: censored, too", "`EVENT`", "the first of its entries"),
        ("distilled: temperature forgotten", "the division by `3.0`", "the division by `len(z)`"),
        ("heat: ends lost", "wrong from `new[1:-1]` on (line 13)", "wrong from `2 * inner`"),
    ],
)
def test_what_a_name_says_is_seen_in_the_derivative(what, says, never):
    """The other name gives the same numbers by chance: a length, a mask's first element, a value to be subtracted."""
    (mistake,) = (m for m in FIFTH if m.what == what)
    _, first, _ = mistake.told()
    assert says in first.message
    assert never not in first.message


def test_the_gradients_of_one_value_added_up_are_its_gradient():
    (mistake,) = (m for m in FOURTH if m.what == "gated: carried with f")
    search = Search(Learner(mistake.function, mistake.vjp, mistake.inputs), Clock(60))
    lists = search.written()
    assert "wrong from `carried + dn * f` on" in where_it_leaves(lists[0], lists[1:], search.wrong, close)


def test_a_change_of_a_product_is_written_as_it_must_be():
    def chain(x, w, u):
        return (x @ w) @ u

    def chain_vjp(g, x, w, u):
        return (g @ u.T) @ w.T, x.T @ (g @ u.T), (x @ w) @ g

    a = r.normal(size=(3, 3)), r.normal(size=(3, 3)), r.normal(size=(3, 3))
    (first, *_) = name_mistake(chain, chain_vjp, a)
    assert "`(x @ w) @ g` should be `(x @ w).T @ g`" in first.message


def test_an_input_that_is_a_number_has_its_name():
    (mistake,) = (m for m in FOURTH if m.what == "tempered: dz without t")
    assert "the division by `t` is missing" in name_mistake(mistake.function, mistake.vjp, mistake.inputs)[0].message


def test_two_mistakes_in_two_inputs_are_both_said():
    def dense_vjp(g, x, w, b):
        d = g * (x @ w + b > 0)
        return -d @ w.T, x.T @ d, d.mean(axis=0)

    (first, *_) = name_mistake(dense, dense_vjp, DENSE)
    assert first.kind == "several mistakes"
    assert "the gradient of `x` has the wrong sign" in first.message
    assert "a mean instead of a sum" in first.message


def test_numbers_are_inputs_too_and_names_can_be_given():
    def vjp(g, a, b):
        return g * b, g * a

    pair = numpy_pair(lambda a, b: a * b + np.sin(a), vjp)
    report = gradcheck(pair, [np.float64(1.5), np.array(2.0)], names=["width", "height"], raise_exception=False)
    assert "`np.sin(a)` is held constant" in report.diagnoses[0].message
    report = gradcheck(
        numpy_pair(lambda a, b: a @ b, lambda g, a, b: (g @ b, a.T @ g)),
        [r.normal(size=(2, 3)), r.normal(size=(3, 3))],
        names=["data", "weights"],
        raise_exception=False,
    )
    assert "the gradient of `data` in `a @ b` is `g @ weights`" in report.diagnoses[0].message


def test_the_search_keeps_to_its_time():
    def chain(x):
        for _ in range(150):
            x = np.tanh(x) * 1.1 + np.sin(x)
        return x

    began = time.thread_time()
    name_mistake(chain, lambda g, x: g * np.arange(5.0) ** 1.5, [np.linspace(-1, 1, 5)])
    assert time.thread_time() - began < 4


def third(what):
    (mistake,) = (m for m in THIRD if m.what == what)
    return mistake


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ["lstm: do without tanh", "lstm: df of the new cell", "lstm: later states forgotten"])
def test_the_search_makes_few_edits_of_a_loop(what):
    mistake = third(what)
    clock = Clock(60)
    search = Search(Learner(mistake.function, mistake.vjp, mistake.inputs), clock)
    assert search.run()[0].explains == search.wrong
    assert clock.made < 20_000
    assert clock.tried < 3_000


def test_the_clock_stands_still_while_garbage_is_collected():
    begun = thread_time()
    with Clock(60) as clock:
        end, others = clock.end, len(gc.callbacks)
        gc.collect()
        took = thread_time() - begun
        assert 0 < clock.end - end <= took
    assert len(gc.callbacks) == others - 1
    gc.collect()
    assert clock.end - end <= took


def test_a_known_form_is_recorded_at_the_other_points_when_an_edit_fits_at_the_first():
    learner = Learner(dense, lambda g, x, w, b: (x, w, b), DENSE)
    programs = Programs([p.forward for p in learner.programs], learner.seeds)
    assert programs[0].right
    assert list(programs.made) == [0]
    assert len(list(programs)) == len(programs) == len(programs.made) == len(learner.programs)


def test_what_is_multiplied_by_the_zeros_of_a_first_state_is_not_held():
    mistake = third("lstm: df of the new cell")
    search = Search(Learner(mistake.function, mistake.vjp, mistake.inputs), Clock(60))
    assert search._free() == []

    def shifted(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    free = Search(Learner(shifted, lambda g, x: g, [np.arange(4.0)]), Clock(60))
    assert {free.programs[0].tape[i].op_name for i in free._free()} == {"Amax"}


def test_a_place_in_a_long_loop_compares_each_value_with_few():
    def chain(x):
        for _ in range(60):
            x = 0.9 * np.tanh(x) + 0.2 * np.sin(x)
        return x

    def chain_vjp(g, x):
        values = [x]
        for _ in range(60):
            values.append(0.9 * np.tanh(values[-1]) + 0.2 * np.sin(values[-1]))
        for v in values[-2::-1]:
            g = g * (0.9 * (1 - np.tanh(v) ** 2) + 0.2 * np.cos(v))
        return np.arctan(g * np.arange(5.0))

    search = Search(Learner(chain, chain_vjp, [np.linspace(-1, 1, 5)]), Clock(60))
    lists = search.written()
    asked = []

    def counted(a, b):
        asked.append(a)
        return close(a, b)

    place = where_it_leaves(lists[0], lists[1:], search.wrong, counted)
    assert "wrong from `np.arctan(g * np.arange(5.0))` on" in place or "wrong from `g * np.arange(5.0)` on" in place
    assert len(asked) < 20 * len(lists[0].own)


def test_the_name_is_the_headline_of_the_report():
    def swish(x, w):
        h = x @ w
        return h / (1 + np.exp(-h))

    def swish_vjp(g, x, w):
        h = x @ w
        d = g / (1 + np.exp(-h))
        return d @ w.T, x.T @ d

    report = gradcheck(
        numpy_pair(swish, swish_vjp), [r.normal(size=(3, 4)), r.normal(size=(4, 2))], raise_exception=False
    )
    assert report.verdict is Verdict.FAIL
    assert report.diagnoses[0].kind == "held constant"
    assert "np.exp(-h)" in str(report)
    assert "no gradient flows through it" in " ".join(str(report).split())


def test_a_right_gradient_is_not_named():
    assert name_mistake(np.sin, lambda g, x: g * np.cos(x), [np.array([0.5, 1.0, 2.0])]) == []


def test_gradients_are_the_same_but_for_rounding():
    assert close(np.ones(3), np.ones(3) + 1e-12)
    assert not close(np.ones(3), np.ones(3) + 1e-6)
    assert not close(np.ones(3), np.ones((3, 1)))
    assert not close(np.array([np.nan]), np.array([1.0]))
