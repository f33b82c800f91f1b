"""What all answers are: dicts in the service's own form, checked before they leave. Knows no service."""

from __future__ import annotations

__all__ = ["Answer", "AnswerError", "check_answer", "is_scalar", "of_answers", "plain", "size_in_bytes", "want_object"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AnswerError(ValueError):
    """What a function returned is not what the service that waits for it takes. Says what, and what to do."""


class Answer(dict):  # type: ignore[type-arg]  # dict[str, Any]; a parameterised base costs an import of typing
    """An answer, to be returned as it is: a plain dict to JSON, and equal to one."""

    __slots__ = ()


def check_answer(module: str, event: Any, result: Any) -> Any:
    """The result, if the event's service takes it. Raises `AnswerError`. `module` is the one that knows the service."""
    from importlib import import_module

    return import_module(f"handlerkit.answers.{module}").checked(event, result)


def of_answers(module: str, returned: Any, may_be_nothing: bool) -> str | None:
    """What is wrong with a function's return annotation for such events; None when nothing is."""
    if returned is None or returned is type(None):
        return None if may_be_nothing else "returns None, and the event's service waits for an answer"
    if isinstance(returned, type) and issubclass(returned, Answer) and returned is not Answer:
        home = returned.__module__.rpartition(".")[2]
        if home != module:
            return f"returns {returned.__name__}, which is no answer to its event"
    return None


def plain(result: Any) -> Any:
    """Models and dataclasses as the dicts that they leave as."""
    if isinstance(result, (dict, str, int, float, list)) or result is None:
        return result
    from handlerkit.reply import jsonable

    return jsonable(result)


def want_object(result: Any, who: str, advice: str) -> dict[str, Any]:
    """The result as a dict. Raises `AnswerError` with the advice."""
    result = plain(result)
    if not isinstance(result, dict):
        kind = "nothing" if result is None else f"a {type(result).__name__}"
        raise AnswerError(f"{who} waits for an answer, and the function returned {kind}: {advice}")
    return result


def is_scalar(value: object) -> bool:
    """Whether a service that takes no nesting takes it."""
    return isinstance(value, (str, int, float, bool))


def size_in_bytes(answer: object) -> int:
    """What the answer takes on the wire."""
    from handlerkit.reply import encoded

    return len(encoded(answer))
