"""How the bytes of a layer divide among its packages, and what could go."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambda_emulator.layer.contents import Contents

__all__ = ["Share", "advice", "shares"]


@dataclass(frozen=True, slots=True)
class Share:
    """One package's part."""

    owner: str
    packed: int
    unpacked: int
    files: int


def shares(contents: Contents, owners: Mapping[str, str]) -> list[Share]:
    """The largest first. `owners` names the package of each folder or file directly below `python/`."""
    totals: dict[str, list[int]] = {}
    for entry in contents.entries.values():
        first, _, rest = entry.name.partition("/")
        if first == "python":
            name = rest.partition("/")[0]
            if name == "__pycache__":  # of a module that is a single file
                name = rest.partition("/")[2].partition(".")[0] + ".py"
            owner = owners.get(name, name)
        else:
            owner = {"cpython": "interpreter"}.get(first, "bootstrap and manifest")
        total = totals.setdefault(owner, [0, 0, 0])
        for index, value in enumerate((entry.packed, entry.size, 1)):
            total[index] += value
    found = [Share(owner, *total) for owner, total in totals.items()]
    return sorted(found, key=lambda share: (-share.packed, share.owner))


def advice(found: list[Share]) -> list[str]:
    """What to drop when a layer is too large, for what is in this one.

    >>> advice([Share("botocore", 9, 9, 1), Share("pydantic", 9, 9, 1)])
    ['botocore: name the services that are used, --services dynamodb,sts']
    """
    hints = {
        "botocore": "name the services that are used, --services dynamodb,sts",
        "boto3": "handlerkit's own stores need none of it: leave it out unless the function imports it",
        "opentelemetry-sdk": "leave it out where X-Ray subsegments do",
        "aws-xray-sdk": "only `tracing.patch` needs it",
        "interpreter": "nothing more can go without a smaller build (cpython.sh)",
    }
    large = sum(share.unpacked for share in found) // 10
    return [f"{one.owner}: {hints[one.owner]}" for one in found if one.owner in hints and one.unpacked >= large]
