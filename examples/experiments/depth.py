"""
Where does the gradient go in a deep network?
=============================================

Before it reaches the first layer, the gradient is multiplied by a matrix and by the slopes of an activation in each
layer above. Multiplied thirty times by 0.24 it has vanished, and thirty times by 11 it has exploded. Neither network
learns. The factor is known before the first step: for layers n wide with weights of variance s², the mean square of
the gradient is multiplied by

    n s² E[φ′(z)²]

from layer to layer, where φ is the activation and z, what it is applied to, is nearly normal [1, 2, 3]. Xavier's and
Kaiming's initialisations choose s so that this is about 1. This experiment builds the networks with ``nn``, asks for
the gradient at each depth, and compares it with that line of theory.

[1] X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
[2] K. He et al., *Delving deep into rectifiers*, ICCV 2015.
[3] S. Schoenholz et al., *Deep information propagation*, ICLR 2017.

Run it: ``python examples/experiments/depth.py --out pictures``. Some seconds.
"""

# sphinx_gallery_thumbnail_path = 'experiments-depth.png'

# %%
# The networks: layers of one width, one activation, no tricks. The weights begin in one of three ways; the biases at 0.

import numpy as np
from blackboard import BLUE, GREEN, GREY, RED, label, picture, run, table

import tinygrad_cnn as tg
from tinygrad_cnn import autograd, nn

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
STARTS = {
    "N(0, 1)": lambda w: nn.init.normal_(w),
    "Xavier": lambda w: nn.init.xavier_normal_(w),
    "Kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
}
VARIANCES = {"N(0, 1)": lambda n: 1, "Xavier": lambda n: 1 / n, "Kaiming": lambda n: 2 / n}
WIDTH, DEPTH, BATCH = 256, 30, 32


def network(activation, start, width, depth):
    """A list of layers, each linear and then the activation."""
    layers = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        STARTS[start](linear.weight)
        nn.init.zeros_(linear.bias)
        layers.append(nn.Sequential(linear, ACTIVATIONS[activation]()))
    return layers


# %%
# One forward and one backward pass. Into the last layer goes a gradient of random numbers, as if from a loss; what
# comes out at each layer's input is asked for by name. In float64, so that nothing overflows before it is seen.


def measured(activation, start, width=WIDTH, depth=DEPTH):
    """The size (root mean square) of the gradient at each depth, as a multiple of what the last layer was given."""
    tg.manual_seed(0)
    h = tg.randn(BATCH, width, dtype=tg.float64, requires_grad=True)
    reached = [h]
    for layer in network(activation, start, width, depth):
        h = layer.double()(h)
        reached.append(h)
    given = tg.randn(BATCH, width, dtype=tg.float64)
    gradients = autograd.grad(h, reached, given)
    return np.array([np.sqrt(np.mean(g.numpy() ** 2)) for g in gradients]) / np.sqrt(np.mean(given.numpy() ** 2))


# %%
# The theory, in a few lines: z is normal with variance q. The next q is n s² E[φ(z)²], and the gradient's mean square
# is multiplied by n s² E[φ′(z)²]. The expectations are sums over a fine grid.


def predicted(activation, start, width=WIDTH, depth=DEPTH):
    """What `measured` should be for very wide layers."""
    z = np.linspace(-9, 9, 36001)  # fine enough for what saturates: z is multiplied by √q, which may be 16
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    scale = width * VARIANCES[start](width)
    factors, mean_square = [], 1.0
    for _ in range(depth):
        x = tg.tensor(np.sqrt(scale * mean_square) * z, requires_grad=True)
        y = ACTIVATIONS[activation]()(x)
        (slope,) = autograd.grad(y.sum(), x)
        factors.append(scale * np.sum(weight * slope.numpy() ** 2))
        mean_square = np.sum(weight * y.detach().numpy() ** 2)
    from_the_end = np.cumprod([1.0, *reversed(factors)])
    return np.sqrt(from_the_end[::-1])


# %%
# The picture: one panel for each activation, one line for each start. A straight line on this paper is one factor per
# layer. The thin black lines are the theory.


WORDS = {  # where they stand: layers below the loss, and the power of ten
    ("sigmoid", "N(0, 1)"): (7, 5), ("sigmoid", "Kaiming"): (14.5, -4.5), ("sigmoid", "Xavier"): (2, -14),
    ("tanh", "N(0, 1)"): (3, 13), ("tanh", "Kaiming"): (13, 3), ("tanh", "Xavier"): (14, -3.5),
    ("relu", "N(0, 1)"): (2, 24), ("relu", "Kaiming"): (13, 3), ("relu", "Xavier"): (10, -7),
}  # fmt: skip


def draw(figure, found, theory, depth):
    title = "Layer by layer the gradient is multiplied by one number"
    figure.suptitle(title, fontsize=17, weight="bold", x=0.01, ha="left")
    panels = figure.subplots(1, 3, sharey=True)
    colours = dict(zip(STARTS, (RED, BLUE, GREEN), strict=True))
    below = np.arange(depth + 1)
    for axes, activation in zip(panels, ACTIVATIONS, strict=True):
        axes.set_title(activation, pad=10, fontsize=16)
        axes.set(xlabel="layers below the loss", xlim=(0, 30), xticks=(0, 10, 20, 30), ylim=(1e-22, 1e34))
        axes.axhline(1, color=GREY, lw=1, zorder=0)
        for start, colour in colours.items():
            reached = found[activation, start][::-1]
            axes.semilogy(below, reached, color=colour, lw=5, alpha=0.8)
            axes.semilogy(below, theory[activation, start][::-1], "k--", lw=1.3)
            x, power = WORDS[activation, start]
            label(axes, x, 10.0**power, f"{start} ×{reached[-1] ** (1 / depth):.2g}", colour)
        axes.set_yticks([10.0**k for k in range(-20, 31, 10)])
    panels[0].set_ylabel("size of the gradient")
    label(panels[2], 3, 1e-18, "--- theory", fontsize=13)


def main(out=None, quick=False):
    """Measure, print and draw; return the gradients by (activation, start), measured and predicted."""
    width, depth = (128, 20) if quick else (WIDTH, DEPTH)
    cases = [(a, s) for a in ACTIVATIONS for s in STARTS]
    found = {case: measured(*case, width, depth) for case in cases}
    theory = {case: predicted(*case, width, depth) for case in cases}
    rows = []
    for activation, start in cases:
        first, expected = found[activation, start][0], theory[activation, start][0]
        rows.append((activation, start, float(first), float(expected), float(first ** (1 / depth))))
    table(("activation", "start", f"at layer 1 of {depth}", "theory", "factor per layer"), rows)
    picture(out, "experiments-depth.png", lambda to: draw(to, found, theory, depth), size=(11, 5.6))
    return found, theory


if __name__ == "__main__":
    run(main, __doc__)
