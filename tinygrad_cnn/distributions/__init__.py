"""Probability distributions with PyTorch's names.

Log-probabilities, entropies and divergences are composed from ops, and so have gradients; `rsample` has one with
respect to the parameters (Kingma & Welling 2014), `sample` has none.
"""

from typing import TYPE_CHECKING

from tinygrad_cnn.distributions import constraint_registry as constraint_registry
from tinygrad_cnn.distributions import constraints as constraints
from tinygrad_cnn.distributions import kl as kl
from tinygrad_cnn.distributions import transforms as transforms
from tinygrad_cnn.distributions.categories import *
from tinygrad_cnn.distributions.compound import *
from tinygrad_cnn.distributions.constraint_registry import *
from tinygrad_cnn.distributions.discrete import *
from tinygrad_cnn.distributions.distribution import *
from tinygrad_cnn.distributions.gammas import *
from tinygrad_cnn.distributions.kl import *
from tinygrad_cnn.distributions.location_scale import *
from tinygrad_cnn.distributions.transformed import *
from tinygrad_cnn.distributions.transforms import *
from tinygrad_cnn.distributions.vectors import *
from tinygrad_cnn.torch_names.absent import OF_DISTRIBUTIONS, absent

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __all__ = sorted([*__all__, "biject_to", "identity_transform", "transform_to"])
    __getattr__ = absent("torch.distributions", OF_DISTRIBUTIONS)
