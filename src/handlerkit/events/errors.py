"""What can be wrong with an event, said in one bounded line. Knows no source and imports nothing."""

from __future__ import annotations

__all__ = ["EventFieldError", "EventValidationError", "Problem", "shortened"]

# What a reader of a log line needs to recognise a value; more would copy customers' data into the logs.
SHOWN_CHARACTERS = 100
# The first few problems explain the rest; a batch of 10,000 records could have as many.
SHOWN_PROBLEMS = 5


class EventFieldError(ValueError):
    """A field that holds something its type cannot be read from; raised when the field is read.

    `view` and `field` are the Python names, `wire` the key in the event, `shown` the offending value, shortened.
    """

    def __init__(self, view: str, field: str, wire: str, reason: str, shown: str) -> None:
        super().__init__(view, field, wire, reason, shown)
        self.view = view
        self.field = field
        self.wire = wire
        self.reason = reason
        self.shown = shown

    def __str__(self) -> str:
        return f"{self.view}.{self.field} ({self.wire!r}): {self.reason} (got {self.shown})"


class Problem:
    """One thing that is wrong: where (`path`, "" for the whole), why, and the offending value, already shortened."""

    __slots__ = ("path", "reason", "shown")

    def __init__(self, path: str, reason: str, shown: str | None = None) -> None:
        self.path = path
        self.reason = reason
        self.shown = shown

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.reason}" + (f" (got {self.shown})" if self.shown is not None else "")

    def within(self, step: str) -> Problem:
        """The same problem seen from one level further out."""
        joint = "." if self.path and self.path[0] != "[" else ""
        return Problem(f"{step}{joint}{self.path}", self.reason, self.shown)


class EventValidationError(ValueError):
    """An event, or one record of it, that is not what was asked for.

    `source` is what was asked for. `is_json` is False where a text or the event itself was no JSON at all, so that
    an HTTP front can answer 400 and not 422.
    """

    def __init__(self, source: str, problems: tuple[Problem, ...], is_json: bool = True) -> None:
        super().__init__(source, problems, is_json)
        self.source = source
        self.problems = problems
        self.is_json = is_json

    def __str__(self) -> str:
        shown = "; ".join(map(str, self.problems[:SHOWN_PROBLEMS]))
        more = len(self.problems) - SHOWN_PROBLEMS
        return f"{self.source}: {shown}" + (f"; and {more} more" if more > 0 else "")

    def within(self, source: str, step: str) -> EventValidationError:
        """The same error seen from the view that holds the refused value under `step`."""
        return EventValidationError(source, tuple(problem.within(step) for problem in self.problems), self.is_json)


def shortened(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """A value as at most `limit` characters; of objects and arrays only the outline, whatever their size.

    >>> shortened("many")
    "'many'"
    >>> shortened({"card": "4111", "name": "Ada"})
    "an object with 'card', 'name'"
    """
    if isinstance(value, dict):
        keys = ", ".join(repr(str(key)[:limit]) for _, key in zip(range(4), value, strict=False))
        shown = (f"an object with {keys}" if keys else "an empty object") + (", …" if len(value) > 4 else "")
    elif isinstance(value, (list, tuple, set, frozenset)):
        shown = f"an array of {len(value)}"
    elif isinstance(value, (str, bytes)):
        shown = repr(value[: limit + 1])
    elif isinstance(value, int) and abs(value) > 10**limit:
        shown = f"a number of more than {limit} digits"
    else:
        shown = repr(value)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
