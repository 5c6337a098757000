"""Images made larger or smaller, and pixels and channels exchanged, as layers."""

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.settings import Settings
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip


class Upsample(Settings):
    """(N, C, L) or (N, C, H, W) in another size, or larger by a factor; see `F.interpolate`.

    The floating dtype stays. ValueError for an input with other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Upsample(scale_factor=2)(tg.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        several = isinstance(scale_factor, Sequence)
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.scale_factor = (
            tuple(map(float, scale_factor)) if several else float(scale_factor) if scale_factor else None
        )
        self.recompute_scale_factor = recompute_scale_factor
        self.shown = ("size" if self.scale_factor is None else "scale_factor", "mode")

    def forward(self, input: Tensor) -> Tensor:
        options = self.mode, self.align_corners, self.recompute_scale_factor
        return F.interpolate(input, self.size, self.scale_factor, *options)


class UpsamplingNearest2d(Upsample):
    """`Upsample` by the nearest pixel.

    The floating dtype stays. ValueError for an input with other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.UpsamplingNearest2d(scale_factor=2)(tg.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` by bilinear interpolation with aligned corners.

    The floating dtype stays. ValueError for an input with other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.UpsamplingBilinear2d(size=(1, 3))(tg.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Settings):
    """Channels become pixels: (…, C·r², H, W) to (…, C, H·r, W·r) (Shi et al. 2016).

    The dtype stays. ValueError if r² does not divide the channels.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.PixelShuffle(2)(tg.arange(4).reshape(4, 1, 1))
    tensor([[[0, 1],
             [2, 3]]])
    """

    shown = ("upscale_factor",)

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Settings):
    """Pixels become channels: `PixelShuffle` undone.

    The dtype stays. ValueError if r does not divide height and width.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.PixelUnshuffle(2)(tg.zeros(1, 4, 4)).shape
    torch.Size([4, 2, 2])
    """

    shown = ("downscale_factor",)

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Settings):
    """The channels of (N, C, …) dealt out, so that each part has some of every group (Zhang et al. 2017).

    Shape and dtype stay. ValueError if the groups do not divide the channels.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ChannelShuffle(2)(tg.arange(4).reshape(1, 4, 1, 1)).flatten()
    tensor([0, 2, 1, 3])
    """

    shown = ("groups",)

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)
