"""What is wrong with a layer, or worth knowing: values that gates and checks return and commands print."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["mistake", "remark"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence. A mistake keeps a function from working, or costs every cold start; a remark need not be mended."""

    severity: Severity
    kind: str
    """A word for programs: `execute-bit`, `architecture`, `glibc`, `missing-library`, `size`, `shadow`, …"""
    message: str


def mistake(kind: str, message: str) -> Finding:
    """Something that has to be mended."""
    return Finding("mistake", kind, message)


def remark(kind: str, message: str) -> Finding:
    """Something to know."""
    return Finding("remark", kind, message)
