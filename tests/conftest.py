"""Settings that hold for every test."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # in the environment, so that subprocesses draw without a screen too

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci")
