"""`autograd.Function` and the doors of `autograd`: the same class bodies run in PyTorch and here, and agree."""

import numpy as np
import pytest

from tests.parity.both import BOTH, check_same, leaf, outcome_kind, plain

# ---- Function --------------------------------------------------------------------------------------------------


def legendre(t):
    """The tutorial's: P3(x) = (5x³ - 3x) / 2."""

    class LegendrePolynomial3(t.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    x = leaf(t, [0.3, -1.2])
    y = LegendrePolynomial3.apply(x)
    (first,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = t.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = t.autograd.grad(second.sum(), x)
    y.sum().backward()
    return y, first, second, third, x.grad, y.grad_fn.name()


def my_relu(t):
    class MyReLU(t.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return input.clamp(min=0)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            grad_input = grad_output.clone()
            grad_input[input < 0] = 0
            return grad_input

    x = leaf(t, [0.3, -1.2, 2.0])
    MyReLU.apply(x * 2).sum().backward()
    return x.grad


def linear_function(t):
    """PyTorch's example of extending autograd, with setup_context and needs_input_grad."""

    class LinearFunction(t.autograd.Function):
        @staticmethod
        def forward(input, weight, bias=None):
            output = input.mm(weight.t())
            if bias is not None:
                output += bias.unsqueeze(0).expand_as(output)
            return output

        @staticmethod
        def setup_context(ctx, inputs, output):
            input, weight, bias = inputs
            ctx.save_for_backward(input, weight, bias)

        @staticmethod
        def backward(ctx, grad_output):
            input, weight, bias = ctx.saved_tensors
            grad_input = grad_weight = grad_bias = None
            if ctx.needs_input_grad[0]:
                grad_input = grad_output.mm(weight)
            if ctx.needs_input_grad[1]:
                grad_weight = grad_output.t().mm(input)
            if bias is not None and ctx.needs_input_grad[2]:
                grad_bias = grad_output.sum(0)
            return grad_input, grad_weight, grad_bias

    x, w, b = leaf(t, [[1.0, 2.0], [3.0, 4.0]]), leaf(t, [[0.5, -1.0]]), leaf(t, [0.1])
    y = LinearFunction.apply(x, w, b)
    y.pow(2).sum().backward()
    z = LinearFunction.apply(x.detach(), w)
    (gw,) = t.autograd.grad(z.sum(), w)
    return y, x.grad, w.grad, b.grad, z, gw


def several_outputs(t):
    seen = []

    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y, x + y, x.sum()

        @staticmethod
        def backward(ctx, gp, gs, gt):
            x, y = ctx.saved_tensors
            seen.append(plain(gt))
            return gp * y + gs + gt, gp * x + gs

    x, y = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 5.0])
    p, s, _ = Two.apply(x, y)
    gx, gy = t.autograd.grad((p * s).sum(), [x, y], create_graph=True)
    gxx, gxy = t.autograd.grad(gx.sum(), [x, y])
    (p.sum() + 0 * gy.sum()).backward()
    return gx, gy, gxx, gxy, x.grad, y.grad, tuple(seen)


def unmaterialized(t):
    seen = []

    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((plain(a), plain(b)))
            return a * 2

    x = leaf(t, [1.0])
    Two.apply(x)[0].sum().backward()
    return x.grad, tuple(seen)


def non_differentiable(t):
    class Sorted(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x.sort()
            ctx.mark_non_differentiable(index)
            ctx.save_for_backward(x, index)
            return values, index, 5, None

        @staticmethod
        def backward(ctx, g, *others):
            x, index = ctx.saved_tensors
            out = x * 0
            out[index] = g
            return out

    x = leaf(t, [3.0, 1.0, 2.0])
    values, index, *rest = Sorted.apply(x)
    (values * t.tensor([1.0, 10.0, 100.0], dtype=t.float64)).sum().backward()
    return values, index, tuple(rest), x.grad


def marked_float(t):
    class Half(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            other = x * 3
            ctx.mark_non_differentiable(other)
            return x * 2, other

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h.sum()

    x = leaf(t, [3.0])
    a, b = Half.apply(x)
    a.sum().backward()
    return a, b, x.grad


def saved_output(t):
    class Exp(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = leaf(t, [0.3, 0.5])
    (a,) = t.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    (b,) = t.autograd.grad(a.sum(), x, create_graph=True)
    (c,) = t.autograd.grad(b.sum(), x)
    return a, b, c


def dirty(t):
    class Doubled(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t, [1.0, 2.0])
    z = x * 1
    out = Doubled.apply(z)
    (out * 3).sum().backward()
    return out is z, z, x.grad


def dirty_leaf(t):
    class Doubled(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Doubled.apply(leaf(t, [1.0]))


def dirty_kept_back(t):
    class Doubled(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Doubled.apply(leaf(t, [1.0]) * 1)


def itself(t):
    class Same(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(t, [1.0])
    y = Same.apply(x)
    y.sum().backward()
    return y, y is x, x.grad


def reversal(t):
    """Gradient reversal, with an attribute of ctx and a keyword."""

    class Reverse(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, alpha):
            ctx.alpha = alpha
            ctx.shape = x.shape
            return x.view(*x.shape)

        @staticmethod
        def backward(ctx, g):
            assert g.shape == ctx.shape
            return g.neg() * ctx.alpha, None

    x = leaf(t, [1.0, 2.0])
    y = Reverse.apply(x, 0.5)
    y.sum().backward()
    return x.grad, y.grad_fn.alpha, y.grad_fn.needs_input_grad


def once(t):
    class Np(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return t.from_numpy(np.sin(x.detach().numpy()))

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return t.from_numpy(g.numpy() * np.cos(x.detach().numpy()))

    x = leaf(t, [1.0, 2.0])
    (g,) = t.autograd.grad(Np.apply(x).sum(), x)
    (h,) = t.autograd.grad((Np.apply(x) * x).sum(), x, create_graph=True)
    return g, h.detach(), h.requires_grad, outcome_kind(lambda: h.sum().backward())


def with_vjp(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def vjp(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(t, [1.0, 2.0])
    Square.apply(x).sum().backward()
    return x.grad


def unrecorded(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            assert not t.is_grad_enabled()
            ctx.save_for_backward(x)
            return x * x

    x = leaf(t, [1.0, 2.0])
    with t.no_grad():
        a = Square.apply(x)
    return a, Square.apply(x.detach()), outcome_kind(lambda: Square.apply(x).sum().backward())


PROGRAMS = [
    *(legendre, my_relu, linear_function, several_outputs, unmaterialized, non_differentiable, marked_float),
    *(saved_output, dirty, dirty_leaf, dirty_kept_back, itself, reversal, once, with_vjp, unrecorded),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_function_behaves_as_in_pytorch(program):
    check_same(program)


def returning(make):
    """A Function of (x of 2 elements, number) whose backward returns what `make` makes."""

    def program(t):
        class Odd(t.autograd.Function):
            @staticmethod
            def forward(ctx, x, k):
                return x * k

            @staticmethod
            def backward(ctx, g):
                return make(t, g)

        x = leaf(t, [1.0, 2.0])
        Odd.apply(x, 3.0).sum().backward()
        return x.grad

    return program


RETURNS = {
    "too few": lambda t, g: g,
    "two": lambda t, g: (g, None),
    "trailing None": lambda t, g: (g, None, None, None),
    "too many": lambda t, g: (g, None, g),
    "for a number": lambda t, g: (g, g),
    "longer": lambda t, g: (t.ones(3), None),
    "shorter": lambda t, g: (t.ones(1), None),
    "broadcast": lambda t, g: (t.ones(3, 2, dtype=t.float64), None),
    "None": lambda t, g: (None, None),
    "a number": lambda t, g: (3.0, None),
    "float32": lambda t, g: (t.ones(2), None),
    "integers": lambda t, g: (t.tensor([1, 2]), None),
}


@pytest.mark.parametrize("name", RETURNS)
def test_what_backward_may_return_is_as_in_pytorch(name):
    check_same(returning(RETURNS[name]))


def freed_saved_tensors(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(t, [1.0])
    y = Square.apply(x)
    y.backward(t.ones(1, dtype=t.float64), retain_graph=True)
    y.backward(t.ones(1, dtype=t.float64))
    return x.grad, outcome_kind(lambda: y.backward(t.ones(1))), outcome_kind(lambda: y.grad_fn.saved_tensors)


def overwritten(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(t, [1.0])
    y = Square.apply(x)
    with t.no_grad():
        x.mul_(2)
    return outcome_kind(lambda: y.sum().backward())


def misused(t):
    class Empty(t.autograd.Function):
        pass

    class Saves(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(5)
            return x

    x = leaf(t, [1.0])
    return tuple(outcome_kind(call) for call in (lambda: Empty.apply(x), lambda: Saves.apply(x)))


@pytest.mark.parametrize("program", [freed_saved_tensors, overwritten, misused], ids=lambda p: p.__name__)
def test_misuse_is_refused_as_in_pytorch(program):
    check_same(program)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_calling_an_instance_is_refused_as_in_pytorch():
    def program(t):
        class Old(t.autograd.Function):
            def forward(self, x):
                return x

        return Old()(leaf(t, [1.0]))

    check_same(program)


# ---- backward and grad -------------------------------------------------------------------------------------------

CALLS = {
    "mismatch": lambda t, x: t.autograd.grad(x * 2, x, t.ones(2)),
    "mismatch in backward": lambda t, x: (x * 2).backward(t.ones(2)),
    "no cotangent": lambda t, x: t.autograd.grad(x * 2, x),
    "no gradient": lambda t, x: t.autograd.grad(t.ones(1), x),
    "input without": lambda t, x: t.autograd.grad(x.sum(), t.ones(1)),
    "unused": lambda t, x: t.autograd.grad(x.sum(), t.ones(1, requires_grad=True)),
    "unused allowed": lambda t, x: t.autograd.grad(x.sum(), [x, t.ones(1, requires_grad=True)], allow_unused=True),
    "materialized": lambda t, x: t.autograd.grad(x.sum(), [x, t.ones(1, requires_grad=True)], materialize_grads=True),
    "contradiction": lambda t, x: t.autograd.grad(x.sum(), [x], materialize_grads=True, allow_unused=False),
    "batched": lambda t, x: t.autograd.grad(x * x, x, t.eye(3, dtype=t.float64), is_grads_batched=True),
    "batched numbers": lambda t, x: t.autograd.grad(x.sum(), x, t.ones(4, dtype=t.float64), is_grads_batched=True),
    "not batched": lambda t, x: t.autograd.grad(x * x, x, t.ones(2, 2), is_grads_batched=True),
    "several outputs": lambda t, x: t.autograd.grad([x.sum(), x * x], x, [None, t.ones(3, dtype=t.float64)]),
    "integer cotangent": lambda t, x: t.autograd.grad(x * 2, x, t.ones(3, dtype=t.int64)),
    "a number": lambda t, x: t.autograd.grad(3.0, x),
    "a number as input": lambda t, x: t.autograd.grad(x.sum(), 3),
    "empty inputs": lambda t, x: x.sum().backward(inputs=[]),
    "inputs without": lambda t, x: x.sum().backward(inputs=[t.ones(1)]),
    "inputs": lambda t, x: (x.sum().backward(inputs=x), x.grad),
    "unused inputs": lambda t, x: x.sum().backward(inputs=[t.ones(1, requires_grad=True)]),
    "backward of several": lambda t, x: (t.autograd.backward([x.sum(), (x * x).sum()]), x.grad),
    "backward, old name": lambda t, x: (
        t.autograd.backward([x * x], grad_variables=[t.ones(3, dtype=t.float64)]),
        x.grad,
    ),
    "retain_grad without": lambda t, x: t.ones(1).retain_grad(),
    "hook without": lambda t, x: t.ones(1).register_hook(print),
    "hook on accumulation of a result": lambda t, x: (x * 2).register_post_accumulate_grad_hook(print),
    "hook on accumulation without": lambda t, x: t.ones(1).register_post_accumulate_grad_hook(print),
    "hook of another shape": lambda t, x: (x.register_hook(lambda g: g[0]), x.sum().backward())[1],
    "hook of another type": lambda t, x: (x.register_hook(lambda g: 3), x.sum().backward())[1],
    "hook of another dtype": lambda t, x: (x.register_hook(lambda g: g.float()), x.sum().backward())[1],
    "requires_grad of a result": lambda t, x: (x * 2).requires_grad_(False),
    "detach_": lambda t, x: ((y := x * 2).detach_(), y.requires_grad, y.is_leaf),
    "detach_ a view": lambda t, x: [base[:1].detach_() for base in (x * 2,)],  # a base that nobody holds: pytorch.md
    "Variable": lambda t, x: (
        t.autograd.Variable(x),
        t.autograd.Variable(t.ones(2), requires_grad=True),
        isinstance(x, t.autograd.Variable),
        isinstance(3, t.autograd.Variable),
    ),
    "Variable of a list": lambda t, x: t.autograd.Variable([1.0]),
    "retains_grad": lambda t, x: ((y := x * 2).retains_grad, y.retain_grad(), y.retains_grad, x.retains_grad),
    "is_leaf": lambda t, x: (x.is_leaf, (x * 2).is_leaf, x.detach().is_leaf, (x.detach() * 2).is_leaf),
    "second time": lambda t, x: ((y := (x * x).sum()).backward(), y.backward()),
    "leaf in place": lambda t, x: x.add_(1),
    "saved and written": lambda t, x: ((y := x * 1), (z := (y * y).sum()), y.detach().add_(1), z.backward())[3],
}


@pytest.mark.filterwarnings("ignore:`grad_variables`:FutureWarning")
@pytest.mark.parametrize("name", CALLS)
def test_the_doors_of_autograd_behave_as_in_pytorch(name):
    check_same(lambda t: CALLS[name](t, leaf(t, [1.0, -2.0, 3.0])))


def hooks(t):
    x, seen = leaf(t, [1.0, 2.0]), []
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    handle = x.register_hook(lambda g: seen.append(plain(g)))
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(plain(leaf.grad)))
    y.sum().backward()
    handle.remove()
    (x * 5).sum().backward()
    return tuple(seen), x.grad


def update_in_the_hook(t):
    """The tutorial's optimiser step in the backward pass."""
    x = leaf(t, [1.0, 2.0])

    def step(p):
        with t.no_grad():
            p.sub_(p.grad * 0.1)
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    return x, x.grad


def inputs_of_backward(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0])
    y = x * w
    (y * y).sum().backward(inputs=[y, w])
    return x.grad, w.grad, y.grad


def modes(t):
    x, out = leaf(t, [1.0]), []

    @t.no_grad
    def bare(v):
        return v * 2

    @t.no_grad()
    def called(v):
        return v * 2

    @t.enable_grad()
    def enabled(v):
        return v * 2

    @t.set_grad_enabled(False)
    def off(v):
        return v * 2

    @t.inference_mode()
    def inferred(v):
        return v * 2

    @t.inference_mode
    def inferred_bare(v):
        return v * 2

    @t.inference_mode(False)
    def not_inferred(v):
        return v * 2

    @t.no_grad()
    def generator(v):
        got = yield v * 2
        try:
            yield v * got
        except KeyError:
            yield v * 3
        return 7

    out += [f(x).requires_grad for f in (bare, called, enabled, off, inferred, inferred_bare, not_inferred)]
    with t.no_grad():
        out.append((enabled(x).requires_grad, t.is_grad_enabled()))
        with t.set_grad_enabled(True):
            out.append((x * 2).requires_grad)
        out.append(t.is_grad_enabled())
    g = generator(x)
    out += [next(g).requires_grad, t.is_grad_enabled(), g.send(5).item(), g.throw(KeyError()).item()]
    with pytest.raises(StopIteration) as stop:
        next(g)
    out += [stop.value.value, t.is_grad_enabled(), (bare.__name__, called.__name__)]
    t.set_grad_enabled(False)
    out.append(t.is_grad_enabled())
    t.set_grad_enabled(True)
    with t.inference_mode():
        out.append((t.is_inference_mode_enabled(), t.is_grad_enabled(), (x * 2).requires_grad))
    with t.inference_mode(mode=False):
        out.append((t.is_inference_mode_enabled(), (x * 2).requires_grad))
    return tuple(out)


def names_of_the_graph(t):
    x, w = leaf(t, [[1.0, 2.0]]), leaf(t, [[3.0], [4.0]])
    y = ((x * 2 - 1) / 3).exp().sum()
    names, node = [], y.grad_fn
    while node is not None:
        names.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    return tuple(names), len((x + w.sum()).grad_fn.next_functions), (x * 2).grad_fn.next_functions[1]


def accumulate_grad(t):
    x = leaf(t, [1.0])
    node = (x * 2).grad_fn.next_functions[0][0]
    return node.variable is x, node.next_functions, str(x.detach().float().requires_grad_() * 2)


MORE = (hooks, update_in_the_hook, inputs_of_backward, modes, names_of_the_graph, accumulate_grad)


@pytest.mark.parametrize("program", MORE, ids=lambda p: p.__name__)
def test_hooks_modes_and_nodes_behave_as_in_pytorch(program):
    check_same(program)


@pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore:detect_anomaly")
def test_anomaly_mode_names_the_forward_call_as_in_pytorch():
    for t in BOTH:
        with t.autograd.detect_anomaly(), np.errstate(invalid="ignore"):
            x = leaf(t, [0.0, 1.0])
            y = (x.sqrt() * 0).sum()  # the guilty line
            with (
                pytest.warns(UserWarning, match=r"(?s)Error detected in SqrtBackward0.*# the guilty line"),
                pytest.raises(RuntimeError, match=r"Function 'SqrtBackward0' returned nan values in its 0th output"),
            ):
                y.backward()
        assert not t.is_anomaly_enabled()
        with t.autograd.set_detect_anomaly(True, check_nan=False), np.errstate(invalid="ignore"):
            x = leaf(t, [0.0])
            (x.sqrt() * 0).sum().backward()
            assert np.isnan(x.grad.numpy()).all()


def test_anomaly_mode_without_a_forward_pass_says_so():
    for t in BOTH:
        x = leaf(t, [0.0])
        y = (x.sqrt() * 0).sum()
        with (
            np.errstate(invalid="ignore"),
            t.autograd.set_detect_anomaly(True),
            pytest.warns(UserWarning, match="No forward pass information"),
            pytest.raises(RuntimeError, match="SqrtBackward0"),
        ):
            y.backward()
