"""The profile of a run: see conftest.py."""

import os

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
"""Whether there is time for everything."""
