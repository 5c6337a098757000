"""
ConvTranspose2d: every pixel paints a patch
===========================================

`nn.ConvTranspose2d` makes an image larger. Each pixel of the input is multiplied with the whole kernel, and the patch
that this gives is *added* to the output. `stride` is the distance between two patches. Where patches overlap, the sums
are larger: an input of equal numbers becomes a checkerboard.

Run it: ``python examples/layers/conv_transpose2d.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# All weights are 1 and all inputs are 1. Then each number of the output counts the patches that lie over it.

from drawing import RED, frame, image, numbers, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

ones = tg.ones(1, 1, 3, 3)


def painted(x, kernel_size, stride):
    layer = nn.ConvTranspose2d(1, 1, kernel_size, stride, bias=False)
    with tg.no_grad():
        layer.weight.fill_(1.0)
        return layer(x)[0, 0]


one_pixel = tg.zeros(1, 1, 3, 3)
one_pixel[0, 0, 1, 1] = 1.0
results = {
    "one pixel,\nkernel 3, stride 2": painted(one_pixel, 3, 2),
    "all pixels,\nkernel 3, stride 2": painted(ones, 3, 2),
    "all pixels,\nkernel 2, stride 2": painted(ones, 2, 2),
    "all pixels,\nkernel 4, stride 2": painted(ones, 4, 2),
}
for (name, y), kernel_size in zip(results.items(), [3, 3, 2, 4], strict=True):
    assert len(y) == (3 - 1) * 2 + kernel_size  # (input - 1) · stride + kernel
    print(name.replace("\n", " "), tuple(y.shape))

# %%
# With kernel 3 and stride 2, neighbours overlap by one row and one column. So there are numbers with 1, 2 and 4
# patches, side by side. With kernel 2 the patches touch and do not overlap: 1 everywhere. With kernel 4 they overlap by
# half, and all numbers inside are 4. So choose a kernel that is a multiple of the stride.

assert sorted({*results["all pixels,\nkernel 3, stride 2"].flatten().tolist()}) == [1, 2, 4]
assert (results["all pixels,\nkernel 2, stride 2"] == 1).all()
assert (results["all pixels,\nkernel 4, stride 2"][2:-2, 2:-2] == 4).all()

# %%
# The layer has its name from the transposed matrix. If ``A`` is the matrix of a Conv2d, the ConvTranspose2d with the
# same weight is ``Aᵀ``, so ``⟨A x, y⟩ = ⟨x, Aᵀ y⟩`` for all x and y. It does forward what the gradient of a convolution
# does.

tg.manual_seed(0)
convolution = nn.Conv2d(1, 1, 3, stride=2, bias=False)
transposed = nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
transposed.load_state_dict(convolution.state_dict())
x, y = tg.randn(1, 1, 7, 7), tg.randn(1, 1, 3, 3)
left, right = (convolution(x) * y).sum(), (x * transposed(y)).sum()
print(f"⟨A x, y⟩ = {left.item():.5f}, ⟨x, Aᵀ y⟩ = {right.item():.5f}")
assert abs(left - right) < 1e-4


def draw(figure):
    for axes, (name, result), size in zip(figure.subplots(2, 2).flat, results.items(), [3, 3, 2, 4], strict=True):
        image(axes, result, name, colours="Blues", limit=5)
        numbers(axes, result)
        frame(axes, 2, 2, size, size, RED, lw=3)


picture("conv_transpose2d.png", draw, (7, 6.8))

# %%
# **What to look at.** The first panel shows the patch of the pixel in the middle. The orange-red frame marks the same
# patch in the other panels. In the second panel you see the checkerboard: its dark squares come from the overlap alone.
