"""`typing`'s generic machinery as type checkers see it, and next to nothing at run time.

`typing` costs 8 ms of a cold start. Views carry their type arguments themselves (see `view`), so all that is left of
it when the program runs are names that must exist.
"""

from __future__ import annotations

__all__ = ["Any", "Generic", "TypeVar"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic

    from typing_extensions import TypeVar
else:
    Any = object  # as a payload type both mean: whatever JSON value is there

    class Generic:
        """What `Generic[T]` is at run time: a base without content."""

        __slots__ = ()

        def __class_getitem__(cls, arguments):
            return cls

    class TypeVar:
        """A type variable that only has to be recognised as one."""

        __slots__ = ("name",)

        def __init__(self, name, **_):
            self.name = name

        def __repr__(self):
            return self.name
