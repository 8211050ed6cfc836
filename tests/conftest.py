"""What all tests share: how hypothesis behaves. No reactor is imported here, so that a run may choose one."""

import os

from hypothesis import HealthCheck, settings

# Time limits for an example say more about the machine than about the code; CI looks for the same examples every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
