"""What `--with` offers, and what every layer has: names of distributions. Values only."""

from collections.abc import Iterable, Mapping

from lambda_emulator.layer.errors import LayerError

__all__ = ["CORE", "DEFAULT_SERVICES", "EXTRAS", "expand_extras"]

CORE = ("pydantic", "structlog")
"""What `handlerkit` itself imports."""

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "idempotency": (),  # its DynamoDB client is our own; boto3 only where a function gives one of its own
    "boto3": ("boto3",),
    "dynamodb": ("boto3",),
    "redis": ("redis",),
    "tracing": ("aws-xray-sdk",),
    "opentelemetry": ("opentelemetry-sdk", "opentelemetry-propagator-aws-xray"),
    "cloudformation": ("requests",),
}
"""Names for `--with`, and what each brings; as the extras of the project."""

DEFAULT_SERVICES = ("dynamodb", "sts")
"""What botocore, where it comes along, can talk to unless more is named."""


def expand_extras(names: Iterable[str]) -> list[str]:
    """The distributions that the named extras bring, with the core. Raises `LayerError` for a name that is none.

    >>> expand_extras(["tracing", "redis"])
    ['pydantic', 'structlog', 'aws-xray-sdk', 'redis']
    """
    wanted = list(CORE)
    for name in names:
        if name not in EXTRAS:
            raise LayerError(f"no extra {name!r} for --with: there are {', '.join(sorted(EXTRAS))}")
        wanted += [one for one in EXTRAS[name] if one not in wanted]
    return wanted
