"""How much is tried: 200 cases of each target, the same ones each time.

FCVG_FUZZ_EXAMPLES=N tries N cases of each instead.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz",
    derandomize=True,
    max_examples=int(os.environ.get("FCVG_FUZZ_EXAMPLES") or 200),
    deadline=None,  # the first case imports what the others use
    database=None,
    print_blob=False,
    # Readers read files: they share one folder, in which each case writes its file anew.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("fuzz")
