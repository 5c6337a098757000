"""The version of the package, read by the build."""

__version__ = "0.1.0"
debug = False
cuda = hip = xpu = None
"""What PyTorch was built for beside the CPU: nothing."""
