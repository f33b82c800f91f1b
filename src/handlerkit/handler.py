"""`event_handler`: from a function's annotation to a Lambda handler that takes exactly that.

**The raw hook.** What it makes is an ordinary `handler(event, context)` for any runtime. It also has a method
`__lambda_raw__(body: bytes, context) -> bytes`; a runtime that knows the name hands over the request's bytes and
takes the response's, and the event is parsed once, by the parser that also validates it. Both ways give the same.
`__lambda_prepare__()` lets such a runtime do the first event's loading while it initialises.
"""

from __future__ import annotations

import sys

from .events.errors import EventValidationError
from .events.generics import Generic, TypeVar
from .running_loop import is_in_loop
from .scope import in_scope, in_scope_async
from .signature import Signature, may_be_awaited, signature_of

__all__ = ["EventHandler", "event_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, overload

    from .event_loop import KeptLoop
    from .events.readers import Reader
    from .idempotency import Idempotency
    from .scope import Scope

    Awaited = Callable[..., Coroutine[Any, Any, Any]]

F = TypeVar("F", bound="Callable[..., Any]")


class EventHandler(Generic[F]):
    """A function as a Lambda handler. `func` is the function itself, for tests that need no event."""

    __name__: str
    __qualname__: str

    def __init__(
        self,
        func: F,
        event: Any = None,
        prepare: Callable[[Any], Any] | None = None,
        answer_bad_requests: bool = True,
        names: dict[str, Any] | None = None,
        idempotency: Idempotency | None = None,
        check_answer: bool = True,
    ) -> None:
        self.func = func
        self._check_answer = check_answer
        self._guard = None if idempotency is None else idempotency.for_function(func)
        self._signature = signature_of(func)
        self._event = event
        self._prepare = prepare
        self._answer_bad_requests = answer_bad_requests
        self._loop: KeptLoop | None = None
        self.is_async = may_be_awaited(func)
        self._encode: Callable[[object], bytes] | None = None
        self._jsonable: Callable[[Any], Any] | None = None
        self._read: Callable[[bytes], Any] | None = None
        self._takes_event_alone = self._guard is None and self._signature.context is Signature.NOT
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self.__wrapped__ = func
        self._reader = self._early_reader(names or {})

    def __repr__(self) -> str:
        return f"<event_handler {getattr(self.func, '__qualname__', self.func)}>"

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a parsed event; the result is what a JSON encoder takes.

        Inside an event loop that runs already, an `async def` function's is to be awaited.
        """
        if self.is_async and is_in_loop():
            return in_scope_async(self, self._answer_parsed_async, event, context)
        return in_scope(self, self._answer_parsed, event, context)

    if TYPE_CHECKING:

        @overload
        def __lambda_raw__(self: EventHandler[Awaited], body: bytes, context: Any) -> Any: ...
        @overload
        def __lambda_raw__(self, body: bytes, context: Any) -> bytes: ...

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """Handle an event's bytes; the result is the response's, to be awaited where `__call__`'s is."""
        if self.is_async and is_in_loop():
            return in_scope_async(self, self._answer_bytes_async, body, context)
        return in_scope(self, self._answer_bytes, body, context)

    def _answer_parsed(self, event: Any, context: Any, scope: Scope) -> Any:
        jsonable = self._jsonable or self._late_jsonable()
        try:
            asked = scope.event = self.read(event)
        except EventValidationError as error:
            answer = self._refusal(error, event)
            if answer is None:
                raise
            return answer
        return jsonable(self._handled(asked, context))

    def _answer_bytes(self, body: bytes, context: Any, scope: Scope) -> bytes:
        encode = self._encode or self._late_encode()
        read = self._read or self._late_read()
        try:
            asked = scope.event = read(body)
        except EventValidationError as error:
            answer = self._refusal(error, body)
            if answer is None:
                raise
            return encode(answer)
        if self._takes_event_alone:
            # The ordinary case of `_handled`, told here: what a call costs counts where an invocation takes 40 µs.
            result = self.func(asked)
            if hasattr(result, "__await__"):
                result = self._waited(result)
            service = getattr(asked, "answered_by", None)
            return encode(result if service is None else self._checked(asked, result))
        return encode(self._handled(asked, context))

    async def _answer_parsed_async(self, event: Any, context: Any, scope: Scope) -> Any:
        from .reply import jsonable

        asked, refusal = self._asked(self.read, event, scope)
        return refusal if refusal is not None else jsonable(await self._handled_async(asked, context))

    async def _answer_bytes_async(self, body: bytes, context: Any, scope: Scope) -> bytes:
        encode = self._encode or self._late_encode()
        asked, refusal = self._asked(self._read or self._late_read(), body, scope)
        return encode(refusal if refusal is not None else await self._handled_async(asked, context))

    def _asked(self, read: Callable[[Any], Any], event: Any, scope: Scope) -> tuple[Any, dict[str, Any] | None]:
        """What the function is asked, or the answer that refuses it."""
        try:
            asked = scope.event = read(event)
        except EventValidationError as error:
            refusal = self._refusal(error, event)
            if refusal is None:
                raise
            return None, refusal
        return asked, None

    def __lambda_prepare__(self) -> None:
        """Load now what the first event would load. A runtime that knows the name calls this while it initialises."""
        self._late_encode()
        self._late_read()

    def read(self, event: Any) -> Any:
        """What the function is asked, from a parsed event. Raises `EventValidationError`."""
        reader = self._reader or self._late_reader()
        if self._prepare is not None:
            event = self._prepare(event)
        return reader.from_bytes(event) if isinstance(event, bytes) else reader.from_object(event)

    def _read_prepared(self, body: bytes) -> Any:
        from .events.readers import parsed

        reader = self._reader or self._late_reader()
        assert self._prepare is not None
        return reader.from_object(self._prepare(parsed(reader.name, body)))

    def _late_read(self) -> Callable[[bytes], Any]:
        reader = self._reader or self._late_reader()
        self._read = reader.from_bytes if self._prepare is None else self._read_prepared
        return self._read

    def _handled(self, asked: Any, context: Any) -> Any:
        if self._guard is None:
            return self._checked(asked, self.call(asked, context))
        from .reply import jsonable

        def document(result: Any) -> Any:  # what a duplicate gets, too
            return jsonable(self._checked(asked, result))

        return self._guard.run((asked,), {}, context, lambda: self.call(asked, context), document)

    async def _handled_async(self, asked: Any, context: Any) -> Any:
        if self._guard is None:
            return self._checked(asked, await self.wait(asked, context))
        from .reply import jsonable

        def document(result: Any) -> Any:
            return jsonable(self._checked(asked, result))

        return await self._guard.run_async((asked,), {}, context, lambda: self.wait(asked, context), document)

    def begin(self, asked: Any, context: Any) -> Any:
        """The function's own result, which may be something to await."""
        how = self._signature.context
        if how is Signature.SECOND:
            return self.func(asked, context)
        if how is Signature.KEYWORD:
            return self.func(asked, context=context)
        return self.func(asked)

    async def wait(self, asked: Any, context: Any) -> Any:
        """The function's result, awaited."""
        result = self.begin(asked, context)
        return await result if hasattr(result, "__await__") else result

    def call(self, asked: Any, context: Any) -> Any:
        """The function's result, waited for."""
        result = self.begin(asked, context)
        return self._waited(result) if hasattr(result, "__await__") else result

    def _waited(self, awaitable: Any) -> Any:
        if self._loop is None:
            from .event_loop import KeptLoop  # late: asyncio costs 30 ms

            self._loop = KeptLoop()
        return self._loop.run(awaitable)

    def _checked(self, asked: Any, result: Any) -> Any:
        # Of a service that waits for an answer in a form of its own, and says nothing about a wrong one.
        service = getattr(asked, "answered_by", None)
        if service is not None and self._check_answer:
            from .answers.answer import check_answer

            return check_answer(service, asked, result)
        return result

    def _refusal(self, error: EventValidationError, event: Any) -> dict[str, Any] | None:
        if not self._answer_bad_requests:
            return None
        from .refusal import refusal

        if isinstance(event, bytes):
            from .events.json_text import load

            try:
                event = load(event)
            except ValueError:
                return None
        return refusal(error, event)

    def _late_encode(self) -> Callable[[object], bytes]:
        from .reply import encoded  # late: json costs 5 ms

        self._encode = encoded
        return encoded

    def _late_jsonable(self) -> Callable[[Any], Any]:
        from .reply import jsonable  # late: as above

        self._jsonable = jsonable
        return jsonable

    def _early_reader(self, names: dict[str, Any]) -> Reader | None:
        try:
            return self._made_reader(names)
        except NameError:
            return None  # a name that the module defines further down: resolved with the first event

    def _late_reader(self) -> Reader:
        self._reader = self._made_reader({})
        return self._reader

    def _made_reader(self, names: dict[str, Any]) -> Reader:
        from .events.parsing import event_reader_of

        kind = self._event if self._event is not None else self._signature.annotation(names)
        if self._check_answer and getattr(kind, "answered_by", None) is not None:
            self._check_return(kind, names)
        return event_reader_of(object if kind is None else kind)

    def _check_return(self, kind: Any, names: dict[str, Any]) -> None:
        """Refuse, where the function is defined, a return annotation that its event's service would not take."""
        from .answers.answer import of_answers

        annotations = getattr(self.func, "__annotations__", {})
        if "return" not in annotations:
            return
        returned = self._signature.annotation(names, "return")
        problem = of_answers(kind.answered_by, returned, kind.may_answer_nothing)
        if problem is not None:
            raise TypeError(f"{getattr(self.func, '__qualname__', self.func)} {problem} ({kind.__name__})")


if TYPE_CHECKING:

    @overload
    def event_handler(func: F, /) -> EventHandler[F]: ...
    @overload
    def event_handler(
        *,
        event: Any = None,
        prepare: Callable[[Any], Any] | None = None,
        answer_bad_requests: bool = True,
        idempotency: Idempotency | None = None,
        check_answer: bool = True,
    ) -> Callable[[F], EventHandler[F]]: ...


def event_handler(
    func: F | None = None,
    /,
    *,
    event: Any = None,
    prepare: Callable[[Any], Any] | None = None,
    answer_bad_requests: bool = True,
    idempotency: Idempotency | None = None,
    check_answer: bool = True,
) -> EventHandler[F] | Callable[[F], EventHandler[F]]:
    """Make a Lambda handler of a function that takes a typed event, and the context if it has a place for it.

    `event` is the event's type where the annotation cannot say it. `prepare` is called with the parsed event before
    it is read, and returns the one to read. Events that are not of the type raise `EventValidationError`; an HTTP
    request gets 400 or 422 instead, unless `answer_bad_requests` is False. `idempotency` keeps the function's effect to
    once per key, and answers duplicates with the first response. Where a service waits for an answer in a form of its
    own (see `handlerkit.answers`), another one is an `AnswerError`, unless `check_answer` is False.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return EventHandler(func, names=names)
    return lambda function: EventHandler(
        function, event, prepare, answer_bad_requests, names, idempotency, check_answer
    )
