"""`pkg/module.attr` to a callable, with the managed runtime's error types and messages.

Beyond what that one accepts: an attribute of an attribute (`pkg.mod.Class.method`), and an import error's own
traceback and causes, which it drops.
"""

import sys

from . import protocol
from .errors import FunctionError

__all__ = ["load_handler"]


def load_handler(name: str) -> "Callable[..., Any]":
    """Import and return the handler `name` stands for.

    Raises `FunctionError` with one of `Runtime.MalformedHandlerName`, `BuiltInModuleConflict`,
    `ImportModuleError`, `UserCodeSyntaxError` and `HandlerNotFound`; any other exception is the module's own.
    """
    written, dot, attribute = name.rpartition(".")
    if not dot:
        raise FunctionError(
            protocol.MALFORMED_HANDLER_NAME,
            f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)",
        )
    path = written.removeprefix("./").replace("/", ".")
    if path.partition(".")[0] in sys.builtin_module_names:
        raise FunctionError(
            protocol.BUILTIN_MODULE_CONFLICT, f"Cannot use built-in module {written} as a handler module"
        )
    owner = _import(path, written)
    try:
        handler = getattr(owner, attribute)
    except AttributeError:
        raise FunctionError(
            protocol.HANDLER_NOT_FOUND, f"Handler '{attribute}' missing on module '{written}'"
        ) from None
    if not callable(handler):
        raise FunctionError(
            protocol.HANDLER_NOT_FOUND,
            f"Handler '{attribute}' on module '{written}' is not callable, it is of type {type(handler).__name__}",
        )
    return handler  # type: ignore[no-any-return]


def _import(path: str, written: str) -> object:
    """The module at `path`, or the attribute of a module that `path` leads to."""
    try:
        __import__(path)
        return sys.modules[path]
    except ModuleNotFoundError as error:
        owner = _attribute_of_a_module(path, error)
        if owner is not None:
            return owner
        raise _import_failed(written, error) from error
    except ImportError as error:
        raise _import_failed(written, error) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise FunctionError(
            protocol.USER_CODE_SYNTAX_ERROR, f"Syntax error in module '{written}': {error}", (place,)
        ) from None
    except ValueError as error:
        # An empty component ("..handler"), which the import system calls an empty module name.
        if not path or path.strip(".") != path or ".." in path:
            raise _import_failed(written, error) from error
        raise


def _attribute_of_a_module(path: str, error: ModuleNotFoundError) -> object:
    """What `path`'s last component is inside the module before it, when only that component was missing."""
    parent, dot, attribute = path.rpartition(".")
    if not dot or error.name != path:
        return None
    module = sys.modules.get(parent)
    return getattr(module, attribute, None)


def _import_failed(written: str, error: Exception) -> FunctionError:
    return FunctionError(protocol.IMPORT_MODULE_ERROR, f"Unable to import module '{written}': {error}")


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
    from typing import Any
