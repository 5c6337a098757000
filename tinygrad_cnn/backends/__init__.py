"""Switches of PyTorch's back ends, none of which is here: what can be asked or set in PyTorch's CPU build."""

from tinygrad_cnn.backends import cuda, cudnn, mkldnn, mps

__all__ = ["cuda", "cudnn", "mkldnn", "mps"]
