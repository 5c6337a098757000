"""Measurements of this framework against its peers, in one run. `python -m benchmarks` is the one command."""
