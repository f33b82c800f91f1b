"""A traced function, as a user of handlerkit writes it."""

from handlerkit import traced


@traced
def step() -> None:
    """Nothing but its span."""


@traced
def one(_event: object, _context: object) -> None:
    """The handler's span and one inside."""
    step()


@traced
def eleven(_event: object, _context: object) -> None:
    """The handler's span and eleven inside."""
    for _ in range(11):
        step()
