"""Dropout as layers: it drops in training, and lets everything through in evaluation."""

from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.functional.dropout import check_probability
from tinygrad_cnn.nn.settings import Settings
from tinygrad_cnn.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Settings):
    """A probability, and whether the input is overwritten."""

    shown = ("p", "inplace")

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace


class Dropout(_DropoutNd):
    """In training, zero elements with probability p (Srivastava et al. 2014).

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> layer = tg.nn.Dropout(0.5)
    >>> layer(tg.ones(6))
    tensor([0., 0., 2., 0., 0., 0.])
    >>> layer.eval()(tg.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """In training, zero channels of (N, C, L) or (C, L) with probability p (Tompson et al. 2015).

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.Dropout1d()(tg.ones(1, 4, 2))
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.],
             [0., 0.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training, zero channels of (N, C, H, W) with probability p (Tompson et al. 2015).

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.Dropout2d()(tg.ones(1, 4, 1, 2)).flatten()
    tensor([0., 0., 0., 0., 2., 2., 0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training, zero channels of (N, C, D, H, W) with probability p.

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.Dropout3d()(tg.ones(1, 4, 1, 1, 2)).flatten()
    tensor([0., 0., 0., 0., 2., 2., 0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """In training, set elements to SELU's lowest value, and keep mean and variance (Klambauer et al. 2017).

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.AlphaDropout()(tg.zeros(6))
    tensor([-0.7792, -0.7792,  0.7792, -0.7792, -0.7792, -0.7792])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels of (N, C, …).

    The shape and the floating dtype stay; in evaluation the input is handed on. ValueError if p is not in [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.FeatureAlphaDropout()(tg.zeros(1, 4, 2))
    tensor([[[-0.7792, -0.7792],
             [-0.7792, -0.7792],
             [ 0.7792,  0.7792],
             [-0.7792, -0.7792]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
