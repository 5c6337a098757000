"""Interpolation, sampling at grids, shuffles and borders against PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity.nn.test_convolutions import ints
from tests.parity.nn.twins import Case, check_function, check_layer, normal

SMOOTH = {"linear": 1, "bilinear": 2, "bicubic": 2}


def interpolation(draw, modes=("nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic")):
    mode = draw(st.sampled_from(modes))
    dims = SMOOTH.get(mode) or draw(ints(1, 2))
    size = [draw(ints(1, 5)) for _ in range(dims)]
    options = {"mode": mode}
    if mode in SMOOTH:
        options["align_corners"] = draw(st.sampled_from([None, True, False]))
    if draw(st.booleans()):
        factor = st.sampled_from([1.0, 2, 1.5, 3, 0.6])
        options["scale_factor"] = draw(st.one_of(factor, st.lists(factor, min_size=dims, max_size=dims).map(tuple)))
        factors = options["scale_factor"] if isinstance(options["scale_factor"], tuple) else [options["scale_factor"]]
        if min(factors) < 1:
            size = [n + 2 for n in size]
        options["recompute_scale_factor"] = draw(st.sampled_from([None, True, False]))
    else:
        one = ints(1, 7)
        options["size"] = draw(st.one_of(one, st.lists(one, min_size=dims, max_size=dims).map(tuple)))
    return Case((), options, (normal(draw, (2, 2, *size)),))


def upsampling(draw):
    case = interpolation(draw, ["nearest", "bilinear"])
    if case.inputs[0].ndim == 3:
        case = case._replace(inputs=(case.inputs[0][..., None] * [1.0, 2.0],))
    option = draw(st.sampled_from([{"scale_factor": 2}, {"scale_factor": (2, 1.5)}, {"size": (5, 3)}, {"size": 4}]))
    return case._replace(options=option)


def shuffled(unshuffle=False):
    def case(draw):
        r = draw(ints(1, 3))
        lead = draw(st.sampled_from([(), (2,), (2, 1)]))
        shape = (*lead, 2, 2 * r, r) if unshuffle else (*lead, r * r * draw(ints(1, 2)), 2, 3)
        return Case((r,), {}, (normal(draw, shape),))

    return case


def bordered(dims, value=False):
    def case(draw):
        width = ints(0, 2)
        padding = draw(st.one_of(width, st.tuples(*[width] * (2 * dims))))
        batch = (2,) if draw(st.booleans()) else ()
        args = (padding, draw(st.sampled_from([0.0, 3.5, -1]))) if value else (padding,)
        return Case(args, {}, (normal(draw, (*batch, 2, *[3] * dims)),))

    return case


LAYERS = {
    "Upsample": interpolation, "UpsamplingNearest2d": upsampling, "UpsamplingBilinear2d": upsampling,
    "PixelShuffle": shuffled(), "PixelUnshuffle": shuffled(unshuffle=True),
    "ChannelShuffle": lambda draw: Case((draw(st.sampled_from([1, 2, 3])),), {}, (normal(draw, (2, 6, 2)),)),
    **{f"ZeroPad{d}d": bordered(d) for d in (1, 2, 3)}, **{f"ConstantPad{d}d": bordered(d, True) for d in (1, 2, 3)},
    **{f"{kind}Pad{d}d": bordered(d) for kind in ("Reflection", "Replication", "Circular") for d in (1, 2, 3)},
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    @settings(max_examples=30 if name == "Upsample" else 10)
    @given(st.data())
    def run(data):
        check_layer(name, LAYERS[name](data.draw))

    run()


@settings(max_examples=40)
@given(st.data())
def test_interpolate(data):
    check_function("interpolate", interpolation(data.draw))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
def test_grid_sample(mode, padding_mode):
    @settings(max_examples=15)
    @given(st.integers(0, 99), st.booleans(), ints(1, 4), ints(1, 4))
    def run(seed, align_corners, h, w):
        random = np.random.default_rng(seed)
        x, grid = random.normal(size=(2, 2, h, w)), random.uniform(-1.9, 1.9, size=(2, 3, 2, 2))
        options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
        check_function("grid_sample", Case((), options, (x, grid)))

    run()


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 5, 1, 2)])
def test_affine_grid(size, align_corners):
    theta = np.random.default_rng(0).normal(size=(2, 2, 3))
    check_function("affine_grid", Case((size,), {"align_corners": align_corners}, (theta,)))


@settings(max_examples=20)
@given(st.data())
def test_pad(data):
    mode = data.draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    low = -1 if mode == "constant" else 0
    widths = data.draw(st.lists(ints(low, 2), min_size=2, max_size=2).map(tuple) if mode != "constant" else
                       st.lists(ints(low, 2), min_size=4, max_size=4).map(tuple))  # fmt: skip
    options = {"mode": mode, **({"value": data.draw(st.sampled_from([None, 2.5]))} if mode == "constant" else {})}
    check_function("pad", Case((widths,), options, (normal(data.draw, (2, 3, 4)),)))


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_old_names(name):
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4))
    check_function(name, Case((None, 2), {}, (x,)))
