"""Metrics in CloudWatch's embedded metric format: `metrics.add("orders", 1, unit="Count")`, written when the invocation
ends, also when it fails.

The functions here are those of a default `Metrics`; `dimensions`, `properties`, `namespace` and the like make others.
See docs/metrics.md.
"""

from __future__ import annotations

__all__ = [
    "BatchMetrics",
    "Metrics",
    "add",
    "at",
    "configure",
    "dimension_sets",
    "dimensions",
    "flush",
    "namespace",
    "properties",
    "timer",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .batch import BatchMetrics
    from .handle import Metrics
    from .process import configure

    _default = Metrics()
    add, at, flush, timer = _default.add, _default.at, _default.flush, _default.timer
    dimensions, dimension_sets = _default.dimensions, _default.dimension_sets
    properties, namespace = _default.properties, _default.namespace

_HOME = {"BatchMetrics": "batch", "Metrics": "handle", "configure": "process"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    names = globals()
    if name in _HOME:
        from importlib import import_module

        names[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        return names[name]
    from .handle import Metrics

    default = Metrics()
    for one in __all__:
        if one not in _HOME:
            names[one] = getattr(default, one)
    return names[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
