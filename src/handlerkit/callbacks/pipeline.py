"""CodePipeline's invoke action: `PutJobSuccessResult` or `PutJobFailureResult`, always one of them."""

from __future__ import annotations

import sys

from handlerkit.described import show_traceback, words_of
from handlerkit.events.codepipeline import CodePipelineJobEvent

from .told import ANSWER_MARGIN_MS, TellingHandler, known

__all__ = ["CodePipelineJob", "Continue", "JobError", "codepipeline_job"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

FAILURES = (
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
)
# Limits of the API.
MAX_TOKEN_CHARACTERS = 2_048
MAX_MESSAGE_CHARACTERS = 5_000


class JobError(Exception):
    """The job failed. `failure_type` is the API's: JobFailed, ConfigurationError, PermissionError and so on."""

    def __init__(self, message: str, failure_type: str = "JobFailed") -> None:
        if failure_type not in FAILURES:
            raise ValueError(f"failure_type={failure_type!r}: one of {', '.join(FAILURES)}")
        super().__init__(message)
        self.failure_type = failure_type


class Continue:
    """Not done yet: CodePipeline calls again, with this token in `event.data.continuation_token`."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        if not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError(f"a continuation token has 1 to {MAX_TOKEN_CHARACTERS} characters, not {len(token)}")
        self.token = token


class CodePipelineJob(TellingHandler):
    """What `codepipeline_job` makes."""

    service = "codepipeline"
    decorator = "codepipeline_job"

    def subject(self, event: Any) -> Any:
        """The job."""
        return known(event, CodePipelineJobEvent, "id")

    def tell_success(self, subject: Any, outcome: Any) -> None:
        """None, a dict of output variables, or `Continue`; anything else fails the job."""
        more: dict[str, Any] = {}
        if isinstance(outcome, Continue):
            more["continuationToken"] = outcome.token
        elif isinstance(outcome, dict):
            more["outputVariables"] = {str(name): str(value) for name, value in outcome.items()}
        elif outcome is not None:
            kind = type(outcome).__name__
            error = TypeError(
                f"the function returned a {kind}; it can be None, a dict of output variables, or Continue"
            )
            return self.tell_failure(subject, error)
        self.client().put_job_success_result(jobId=subject.id, **more)
        return None

    def tell_failure(self, subject: Any, error: BaseException) -> None:
        """The exception's words, with a type the pipeline shows."""
        is_ours = isinstance(error, JobError)
        if not is_ours:
            show_traceback(error)
        self._fail(subject, str(error) if is_ours else words_of(error), getattr(error, "failure_type", "JobFailed"))

    def tell_too_late(self, subject: Any) -> bool:
        """Fail the job."""
        self._fail(subject, "the function did not end in time", "JobFailed")
        return True

    def _fail(self, subject: Any, message: str, failure_type: str) -> None:
        kind = failure_type if failure_type in FAILURES else "JobFailed"
        message = message.encode("utf-8", "replace").decode()[:MAX_MESSAGE_CHARACTERS] or "failed"
        self.client().put_job_failure_result(jobId=subject.id, failureDetails={"type": kind, "message": message})


if TYPE_CHECKING:

    @overload
    def codepipeline_job(func: Callable[..., Any], /) -> CodePipelineJob: ...
    @overload
    def codepipeline_job(
        *, client: Any = None, answer_margin_ms: int = ...
    ) -> Callable[[Callable[..., Any]], CodePipelineJob]: ...


def codepipeline_job(
    func: Callable[..., Any] | None = None, /, *, client: Any = None, answer_margin_ms: int = ANSWER_MARGIN_MS
) -> CodePipelineJob | Callable[[Callable[..., Any]], CodePipelineJob]:
    """Make a handler of a function that takes a `CodePipelineJobEvent[Parameters]`, and the context if it likes.

    It returns None or a dict of output variables when the job is done, `Continue(token)` when it is not, and raises
    when it failed. When less than `answer_margin_ms` of the invocation is left, the job fails. `client` is boto3's.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return CodePipelineJob(func, names=names)
    return lambda function: CodePipelineJob(function, client, answer_margin_ms, names)
