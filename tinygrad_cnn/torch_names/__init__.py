"""What is here only because PyTorch has the name."""

__version__ = "2.13.0"
"""The version of PyTorch whose names these are: what a program has to ask that chooses by ``torch.__version__``."""
