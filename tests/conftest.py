"""Hypothesis profiles: chosen by HYPOTHESIS_PROFILE, or by CI when it is set."""

import os

from hypothesis import HealthCheck, settings

# Deadlines measure the machine, not the code; shrinking needs no time limit in a nightly run.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("quick", max_examples=25, derandomize=True, database=None, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_COMMON)
settings.register_profile("nightly", max_examples=5000, print_blob=True, **_COMMON)

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "quick")
)
