"""
Why a hand-written back_prop goes wrong
=======================================

The article that this project grew from builds a convolutional network of three layers, each with a ``back_prop`` of
its own, and trains it to 96% on MNIST. It learns, so it must be right? In the convolution no gradient is handed on, in
the pooling a ``return`` stands one level too deep and tied maxima all take the whole gradient, and the softmax
overflows. Here the three layers are told again in our own words, right and wrong, and given to the checker. Then the
network is trained with the wrong gradients, to see how far it gets.

A network is good at learning in spite of its gradient: that is why one has to check.

Run it: ``python examples/experiments/hand_written.py --out pictures``. Some ten seconds.
"""

# sphinx_gallery_thumbnail_path = 'experiments-learns.png'

# %%
# The convolution of one image with a few kernels, as loops. Its hand-written gradient is right for the kernels, and
# there is none for the image: as long as the convolution is the first layer, nobody misses it.

import numpy as np
from blackboard import BLACK, BLUE, GREY, RED, label, picture, run, table

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair
from tinygrad_cnn.ops import Op


def places(rows, columns):
    """Every place of a map, row by row."""
    return [(i, j) for i in range(rows) for j in range(columns)]


def convolution(x, w):
    """(H, W) with (K, 3, 3) -> (H-2, W-2, K)."""
    y = np.zeros((x.shape[0] - 2, x.shape[1] - 2, len(w)))
    for i, j in places(*y.shape[:2]):
        y[i, j] = np.sum(x[i : i + 3, j : j + 3] * w, axis=(1, 2))
    return y


def convolution_back(g, x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j in places(*g.shape[:2]):
        dw += g[i, j][:, None, None] * x[i : i + 3, j : j + 3]
        dx[i : i + 3, j : j + 3] += np.sum(g[i, j][:, None, None] * w, axis=0)
    return dx, dw


def convolution_back_of_the_kernels(g, x, w):
    return None, convolution_back(g, x, w)[1]


# %%
# Max pooling over windows of 2×2. Look for the difference between the first two gradients; it is four spaces.


def pooling(x):
    """(2m, 2n) -> (m, n)."""
    return x.reshape(len(x) // 2, 2, -1, 2).max(axis=(1, 3))


def first_maximum(window):
    """1 at the first maximum, 0 elsewhere."""
    return (np.arange(window.size) == np.argmax(window)).reshape(window.shape)


def pooling_back(g, x):
    dx = np.zeros_like(x)
    for i, j in places(*g.shape):
        window = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        dx[window] = g[i, j] * first_maximum(x[window])
    return dx


def pooling_back_returning_early(g, x):
    dx = np.zeros_like(x)
    for i, j in places(*g.shape):
        window = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        dx[window] = g[i, j] * first_maximum(x[window])
        return dx
    return dx


def pooling_back_to_every_tie(g, x):
    dx = np.zeros_like(x)
    for i, j in places(*g.shape):
        window = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        dx[window] = g[i, j] * (x[window] == x[window].max())
    return dx


# %%
# The softmax. exp(710) is more than float64 holds, and exp(89) more than float32 does; ∞/∞ is no number. Subtracting
# the largest logit first changes nothing but that.


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def softmax_unshifted(z):
    return np.exp(z) / np.sum(np.exp(z))


def softmax_back(g, z):
    p = softmax(z)
    return p * (g - np.sum(g * p))


def softmax_back_unshifted(g, z):
    p = softmax_unshifted(z)
    return p * (g - np.sum(g * p))


# %%
# Each pair is given to the checker: at points drawn at random, at an image with ties (a digit's background is nothing
# but ties), and at large logits.


def judged():
    """By name: the report on each pair."""
    random = np.random.default_rng(0)
    image, kernels = random.standard_normal((6, 6)), random.standard_normal((2, 3, 3))
    tied = np.round(image)
    logits = random.standard_normal(5)
    large = np.array([800.0, 799.0, 0.0, -3.0, 790.0])
    cases = {
        "convolution": (convolution, convolution_back, (image, kernels)),
        "convolution, nothing for the image": (convolution, convolution_back_of_the_kernels, (image, kernels)),
        "pooling": (pooling, pooling_back, (image,)),
        "pooling, ties": (pooling, pooling_back, (tied,)),
        "pooling, return in the loop": (pooling, pooling_back_returning_early, (image,)),
        "pooling, every tie takes all, no ties": (pooling, pooling_back_to_every_tie, (image,)),
        "pooling, every tie takes all, ties": (pooling, pooling_back_to_every_tie, (tied,)),
        "softmax": (softmax, softmax_back, (logits,)),
        "softmax, large logits": (softmax, softmax_back, (large,)),
        "softmax, unshifted": (softmax_unshifted, softmax_back_unshifted, (logits,)),
        "softmax, unshifted gradient, large logits": (softmax, softmax_back_unshifted, (large,)),
        "softmax, unshifted, large logits": (softmax_unshifted, softmax_back_unshifted, (large,)),
    }
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            name: gradcheck(numpy_pair(f, vjp), list(inputs), raise_exception=False)
            for name, (f, vjp, inputs) in cases.items()
        }


# %%
# Now the network. For speed the poolings are written for whole batches, with the same mistakes: an op of ours is a
# class with a forward rule and a derivative, and it believes what it is told. The last two mistakes are planted behind
# the convolution: its gradient is lost, or has the wrong sign.


CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def corners(x):
    """(N, C, 2m, 2n) -> (4, N, C, m, n): the four elements of each window."""
    return np.stack([x[..., i::2, j::2] for i, j in CORNERS])


def put_back(parts):
    """The inverse of `corners`."""
    _, n, c, rows, columns = parts.shape
    x = np.empty((n, c, 2 * rows, 2 * columns), parts.dtype)
    for part, (i, j) in zip(parts, CORNERS, strict=True):
        x[..., i::2, j::2] = part
    return x


def firsts(x):
    """Where of the four the first maximum is."""
    return corners(x).argmax(axis=0) == np.arange(4).reshape(4, 1, 1, 1, 1)


class Pooling(Op):
    """The maximum of each window        dx = g at its first maximum"""

    def forward(x):
        return corners(x).max(axis=0)

    def d_x(g, x):
        return put_back(g * firsts(x))


class ReturningEarly(Op):
    """The maximum of each window        dx = g at the first maximum of the first window, and 0 elsewhere"""

    def forward(x):
        return corners(x).max(axis=0)

    def d_x(g, x):
        alone = np.zeros(g.shape[-2:], g.dtype)
        alone[0, 0] = 1
        return put_back(g * alone * firsts(x))


class EveryTie(Op):
    """The maximum of each window        dx = g at every maximum"""

    def forward(x):
        return corners(x).max(axis=0)

    def d_x(g, y, x):
        return put_back(g * (corners(x) == y))


class Lost(Op):
    """y = x        dx = 0"""

    def forward(x):
        return x.copy()

    def d_x(g):
        return 0 * g


class Flipped(Op):
    """y = x        dx = −g"""

    def forward(x):
        return x.copy()

    def d_x(g):
        return -g


def softmax_loss(logits, labels):
    """−ln of the softmax, without the shift: mean over the batch."""
    e = logits.exp()
    p = e / e.sum(dim=1, keepdim=True)
    return -p[np.arange(len(labels)), labels].log().mean()


SHIFTED = nn.functional.cross_entropy
RUNS = {  # name: the pooling, a mistake before it, the loss, what pixels are divided by
    "all right": (Pooling, None, SHIFTED, 255),
    "every tie takes all": (EveryTie, None, SHIFTED, 255),
    "return in the loop": (ReturningEarly, None, SHIFTED, 255),
    "no gradient at all": (Pooling, Lost, SHIFTED, 255),
    "sign flipped": (Pooling, Flipped, SHIFTED, 255),
    "softmax unshifted,\npixels up to 255": (Pooling, None, softmax_loss, 1),
}
CHANCE = 0.1


def layers(name):
    """What lies between the convolution and the linear layer: maps in, flat out."""
    pool, mistake, _, _ = RUNS[name]
    return lambda maps: pool.apply(mistake.apply(maps) if mistake else maps).flatten(1)


def accuracy(name, steps, tested=10_000):
    """The share of test images that the network gets right after so many steps on 20 images each."""
    _, _, loss_of, unit = RUNS[name]
    tg.manual_seed(0)
    digits = load_sample()
    convolution_layer, output = nn.Conv2d(1, 8, 3), nn.Linear(8 * 13 * 13, 10)
    optimizer = optim.Adam([*convolution_layer.parameters(), *output.parameters()], lr=3e-3)

    def logits(images):
        maps = convolution_layer(tg.tensor(images[:, None]).float() / unit - 0.5)
        return output(layers(name)(maps))

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step in range(steps):
            batch = np.arange(20 * step, 20 * step + 20) % len(digits.train_images)
            optimizer.zero_grad()
            loss_of(logits(digits.train_images[batch]), tg.tensor(digits.train_labels[batch])).backward()
            optimizer.step()
        with tg.no_grad():
            found = [logits(digits.test_images[k : k + 500]).argmax(1).numpy() for k in range(0, tested, 500)]
    return float(np.mean(np.concatenate(found) == digits.test_labels[:tested]))


# %%
# What the checker says of the same ops needs no training and no digits: sixteen numbers, two of which are equal, and
# for the softmax three logits of the size that pixels up to 255 lead to.


def checked(name):
    """In a word or two: the diagnosis of what the network was trained with."""
    loss_of = RUNS[name][2]
    with np.errstate(over="ignore", invalid="ignore"):
        maps = np.random.default_rng(0).standard_normal((1, 1, 4, 4))
        maps[0, 0, 2, 2:] = maps.max() + 1
        report = gradcheck(layers(name), tg.tensor(maps, requires_grad=True), raise_exception=False)
        logits = tg.tensor([[800.0, 20.0, -300.0]], dtype=tg.float64, requires_grad=True)
        loss = gradcheck(lambda z: loss_of(z, tg.tensor([1])), logits, raise_exception=False)
    if report and not loss:
        report = loss
    if report.problem:
        return "returns nan or inf"
    return report.diagnoses[0].kind if report.diagnoses else "passes"


# %%
# The picture: how much each network learned, and what the checker says of its gradient in a moment.


def draw(figure, shares, words):
    axes = figure.add_subplot()
    axes.set_title("A wrong gradient often still learns")
    for row, (name, share) in enumerate(shares.items()):
        said = words[name]
        colour = BLUE if said == "passes" else RED
        axes.plot([CHANCE, share], [row, row], color=colour, lw=9, alpha=0.3, solid_capstyle="butt")
        axes.plot(share, row, "o", color=colour, ms=13)
        label(axes, share + 0.025, row, f"{share:.1%}", colour, weight="bold")
        label(axes, 1.14, row, said, colour)
    axes.set_yticks(range(len(shares)), list(shares))
    axes.axvline(CHANCE, color=GREY, lw=1.5, ls=":")
    label(axes, CHANCE + 0.01, -0.62, "chance", GREY)
    label(axes, 1.14, -0.75, "gradcheck:", BLACK, weight="bold")
    axes.set_xlabel("test images that are recognised", x=0.5 / 1.45)
    axes.spines["bottom"].set_bounds(0, 1)
    axes.set(xlim=(0, 1.45), ylim=(len(shares) - 0.5, -1))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def main(out=None, quick=False):
    """Judge, train, print and draw; return the reports, and by run the accuracy and the checker's word."""
    reports = judged()
    rows = []
    for name, report in reports.items():
        kind = report.diagnoses[0].kind if report.diagnoses else ""
        rows.append((name, report.verdict.value, kind))
    table(("hand-written", "verdict", "diagnosis"), rows)
    for name, report in reports.items():
        if not report:
            print(f"  {name}:\n    {report.diagnoses[0].message if report.diagnoses else report.problem}")
    print()

    shares = {name: accuracy(name, *((300, 2000) if quick else (1000, 10_000))) for name in RUNS}
    words = {name: checked(name) for name in RUNS}
    rows = [(name.replace("\n", " "), f"{share:.1%}", words[name]) for name, share in shares.items()]
    table(("trained with", "accuracy", "the checker"), rows)
    picture(out, "experiments-learns.png", lambda to: draw(to, shares, words))
    return reports, shares, words


if __name__ == "__main__":
    run(main, __doc__)
