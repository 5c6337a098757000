"""What the page of `explain` is given: formulas, derivatives and checks, each against something independent."""

import base64
import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.program import record
from tinygrad_cnn.teach.derivatives import Applied, derivatives
from tinygrad_cnn.teach.explain import from_graph, page, run
from tinygrad_cnn.teach.formulas import mathml, rule_of
from tinygrad_cnn.teach.nudging import nudge
from tinygrad_cnn.teach.story import Story

OURS = sorted(n for n, op in registry.items() if op.__module__.startswith("tinygrad_cnn."))


def sampled(name, seed):
    op = registry[name]
    sample = op.sample(RandomDraw(np.random.default_rng([zlib.crc32(name.encode()), seed])))
    inputs = tuple(x if isinstance(x, (int, float)) else np.asarray(x) for x in sample.inputs)
    return Applied(op, inputs, sample.options)


@pytest.mark.parametrize("name", OURS)
def test_the_derivatives_are_those_of_the_rule_and_nudging_agrees(name):
    for seed in range(2):
        applied = sampled(name, seed)
        y, _ = applied.forward()
        if y.dtype.kind != "f":
            continue
        g = np.random.default_rng(1).standard_normal(y.shape)
        for k, x in enumerate(applied.inputs):
            found = derivatives(applied, k, g)
            if found is None:
                continue
            x = np.asarray(x)
            d = np.asarray(unbroadcast(applied.rule(k)(g), x.shape))
            if found.slope is not None:
                again = np.asarray(unbroadcast(found.slope * g, x.shape))
            else:
                again = (found.dense(y.size, x.size, applied.inputs).T @ g.ravel()).reshape(x.shape)
            np.testing.assert_allclose(again, d, rtol=1e-6, atol=1e-9)
            check = nudge(applied, k, g, d)
            assert check is not None
            assert check.ok
            if check.scale > 1e-3:  # a wrong derivative is seen
                wrong = nudge(applied, k, g, d + 0.05 * check.scale)
                assert wrong is not None
                assert not wrong.ok or check.kinks.all()


def test_a_convolution_reads_its_weights_through_its_windows():
    x, w = (
        np.random.default_rng(0).standard_normal((1, 2, 7, 6)),
        np.random.default_rng(1).standard_normal((4, 1, 3, 2)),
    )
    program = record(lambda x, w: F.conv2d(x, w, stride=2, padding=1, dilation=(1, 2), groups=2), x, w)
    line = program.lines[-1]
    applied = Applied(registry[line.op], (x, w), line.options)
    y, _ = applied.forward()
    found = derivatives(applied, 0, None)
    assert found is not None
    assert found.other == 1
    wanted = np.zeros((y.size, x.size))
    for j, (n, o, p, q) in enumerate(np.ndindex(y.shape)):  # by the definition
        for a, b in np.ndindex(3, 2):
            r, s = 2 * p + a - 1, 2 * q + 2 * b - 1
            if 0 <= r < 7 and 0 <= s < 6:
                wanted[j, np.ravel_multi_index((n, o // 2, r, s), x.shape)] += w[o, 0, a, b]
    assert np.array_equal(found.dense(y.size, x.size, (x, w)), wanted)


@pytest.mark.parametrize("name", OURS)
def test_every_rule_in_a_docstring_becomes_well_formed_mathematics(name):
    op = registry[name]
    for given in op.inputs:
        text = rule_of(op, given)
        root = ElementTree.fromstring(mathml(text, known=(*op.inputs, *op.options)) if text else "<math/>")
        said = re.sub(r"[\s()\[\]{}*^_|]|mean", "", "".join(root.itertext()))
        assert root.tag == "math"
        assert not text or said


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("g / (2 y)", "<mfrac>"),
        ("g (1 - y²)", "<msup>"),
        ("-g / √((1 - x)(1 + x))", "<msqrt>"),
        ("g p x**(p-1)", "<msup>"),
        ("Σ_cij w[o,c,i,j] x[n,c]", "<munder>"),
        ("aᵀ g", "<msup>"),
        ("g put under t", "<mtext>g put under t</mtext>"),
        ("</script><img>", "&lt;/script&gt;"),
    ],
)
def test_formulas_are_read(text, wanted):
    assert wanted in mathml(text)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.head = nn.Linear(27, 4)

    def forward(self, x):
        return self.head(F.max_pool2d(self.conv(x).relu(), 2).flatten(1))


def elements(story, k):
    entry = story.arrays.listed[k]
    data = base64.b64decode(story.arrays.blocks[entry["b"]])
    return np.frombuffer(zlib.decompress(data, -15) if entry["z"] else data, "<" + entry["d"]).reshape(entry["s"])


def test_the_page_is_given_the_engines_own_bytes():
    net = Net()
    x = tg.randn(1, 1, 8, 8, requires_grad=True)

    def lesson(x, label):
        return F.cross_entropy(net(x), label)

    program = run(lesson, (x, tg.tensor([2])))
    assert x.grad is None
    assert all(p.grad is None for p in net.parameters())
    lesson(x, tg.tensor([2])).backward()
    story = Story(program, "net")
    data = story.data()
    grads = {v["label"]: v["grad"] for v in data["values"]}
    for label, tensor in [("x", x), *((f"net.{n}", p) for n, p in net.named_parameters())]:
        assert elements(story, grads[label]).tobytes() == tensor.grad.numpy().tobytes()
    assert all(step["check"]["ok"] for step in data["steps"] if step["check"])
    assert [op["module"] for op in data["ops"]] == ["net.conv", "net", "net", "net", "net.head", None]
    assert data["values"][data["loss"]]["role"] == "result"
    assert len({v["label"] for v in data["values"]}) == len(data["values"])


def test_a_written_value_is_shown_as_what_was_computed_for_it():
    def f(x):
        y = x * 2
        y += 1
        y[0] = x[1]
        return (y * y).sum()

    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    data = Story(run(f, (x,)), "f").data()
    assert [op["name"] for op in data["ops"]][:2] == ["Mul", "Add"]
    f(x).backward()
    story = Story(run(f, (x,)), "f")
    value = next(v for v in story.data()["values"] if v["label"] == "x")
    assert np.array_equal(elements(story, value["grad"]), x.grad.numpy())
    assert all(step["to"] in data["ops"][step["op"]]["inputs"] for step in data["steps"])


def test_a_loss_that_was_made_before_shows_its_graph():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x.exp() * 3).sum()
    story = Story(from_graph(loss), "loss")
    data = story.data()
    assert [op["name"] for op in data["ops"]] == ["Exp", "Mul", "Sum"]
    assert "record it" in data["note"]
    loss.backward()
    value = next(v for v in data["values"] if v["op"] is None and v["wants"])
    assert np.array_equal(elements(story, value["grad"]), x.grad.numpy())


def test_an_op_of_the_learner_gets_its_rule_from_its_own_code():
    class Cube(Op):
        """y = x³        dx = 3 x² g"""

        def forward(x):
            return x**3

        def d_x(g, x):
            return g * 3 * x**2

        @classmethod
        def sample(cls, draw):
            raise NotImplementedError

    try:
        story = Story(run(lambda x: Cube.apply(x).sum(), (tg.tensor([1.0, 2.0], requires_grad=True),)), "cube")
        (op, _) = story.data()["ops"]
        assert op["rules"][0]["code"] == "g * 3 * x**2"
        assert "<msup>" in op["rules"][0]["math"]
        assert op["maps"][0]["kind"] == "sparse"
    finally:
        del registry["Cube"]


def test_a_large_program_is_told_in_brief():
    def many(x):
        for _ in range(600):
            x = x * 1.001
        return x.sum()

    story = Story(run(many, (tg.ones(50, requires_grad=True),)), "many")
    data = story.data()
    assert data["summary"] == {"ops": 601, "shown": "modules"}
    assert "601 ops" in data["note"]
    assert len(story.arrays.blocks) < 20


def test_a_script_that_makes_its_network_begins_with_its_parameters():
    with record(values=True) as program:
        net = Net()
        x = tg.randn(1, 1, 8, 8)
        with tg.no_grad():
            net.head.bias.fill_(0.5)
        loss = F.cross_entropy(net(x), tg.tensor([1]))
        loss.backward()
    data = Story(program, "script").data()
    assert [op["name"] for op in data["ops"]][:2] == ["Conv2DBias", "Relu"]
    labels = {v["label"] for v in data["values"] if v["role"] == "parameter"}
    assert labels == {f"net.{name}" for name, _ in net.named_parameters()}
    (digit,) = (v for v in data["values"] if v["label"] == "x")
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert source[digit["first"] - 1].strip() == "x = tg.randn(1, 1, 8, 8)"


def test_a_title_is_no_place_of_the_page():
    program = run(lambda x: (x * x).sum(), (tg.tensor([1.0, 2.0]),))
    text = page(program, "{data} </title><b>")
    assert text.count('id="data"') == 1
    assert "{data} &lt;/title&gt;&lt;b&gt;" in text
