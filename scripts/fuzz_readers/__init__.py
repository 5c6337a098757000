"""Changed files for every reader, measured: `python -m scripts.fuzz_readers`."""
