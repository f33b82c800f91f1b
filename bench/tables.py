"""Markdown tables, and the verdict on a budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures, readable before it is rendered.

    >>> print(markdown(["event", "wall"], [["small", "0.5x"]]))
    | event | wall |
    | ----- | ---: |
    | small | 0.5x |
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    first, *others = (_pad(line, widths) for line in lines)
    return "\n".join(["| " + " | ".join(line) + " |" for line in [first, rule, *others]])


def _pad(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        line[0].ljust(widths[0]),
        *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
    ]


def figure(value: float) -> str:
    """Three significant digits, and no exponent.

    >>> [figure(value) for value in (21.456, 9.876, 1234.5, 38123.4)]
    ['21.5', '9.88', '1,234', '38,123']
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def versus(ratio: float, ours: float, theirs: float) -> str:
    """One cell: the ratio, then both medians."""
    return f"**{ratio:.2f}×** {figure(ours)} / {figure(theirs)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit from the design, and the ratio that was measured."""

    what: str
    ratio: float
    limit: float
    at_least: bool = False
    """For throughput: more is better."""

    @property
    def met(self) -> bool:
        """Whether the ratio is within the limit, as it is printed: at two digits."""
        shown = round(self.ratio, 2)
        return shown >= self.limit if self.at_least else shown <= self.limit

    def line(self) -> str:
        """The verdict as an item of a list."""
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "**missed**"
        return f"- {verdict}: {self.what} {self.ratio:.2f}×, budget {sign} {self.limit:.2f}×"
