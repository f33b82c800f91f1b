"""Settings of the property tests: a machine that does ten other things is slow at everything, which is no finding."""

from hypothesis import HealthCheck, settings

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
