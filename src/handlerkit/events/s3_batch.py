"""Amazon S3 Batch Operations, synchronous: tasks of a job, so far one per call. Both schema versions.

Wire names are those of the event: `s3Key` is `s3_key`. Keys are form-encoded on the wire and plain here. Answer with
`event.reply([task.succeeded(...)])`: one result per task. A task that failed temporarily is tried again until the job
ends; an exception is a permanent failure.
"""

from __future__ import annotations

from .fields import maybe_text, object_key, text, text_map
from .nested import view, views
from .view import View

__all__ = ["S3BatchEvent", "S3BatchJob", "S3BatchTask"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Literal


class S3BatchJob(View):
    """The job; `user_arguments` come with schema version 2 only."""

    id = text("id")
    user_arguments = text_map("userArguments")


class S3BatchTask(View):
    """One object to act on; version 1 names the bucket by ARN, version 2 by name, `bucket` is the name in both."""

    task_id = text("taskId")
    s3_key = object_key("s3Key")
    s3_version_id = maybe_text("s3VersionId")
    s3_bucket = maybe_text("s3Bucket")
    s3_bucket_arn = maybe_text("s3BucketArn")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.s3_bucket or (self.s3_bucket_arn or "").rpartition(":::")[2]

    def succeeded(self, text: str = "") -> dict[str, str]:
        """The result of a task that is done; the text goes into the job's report."""
        return self._result("Succeeded", text)

    def failed(self, text: str = "") -> dict[str, str]:
        """The result of a task that cannot be done."""
        return self._result("PermanentFailure", text)

    def failed_for_now(self, text: str = "") -> dict[str, str]:
        """The result of a task that is to be tried again."""
        return self._result("TemporaryFailure", text)

    def _result(self, code: str, text: str) -> dict[str, str]:
        return {"taskId": self.task_id, "resultCode": code, "resultString": text}


class S3BatchEvent(View, kinds=("s3_batch",)):
    """Tasks of a job; iterating gives them."""

    tasks = views("tasks", S3BatchTask)
    job = view("job", S3BatchJob)
    invocation_id = text("invocationId")
    invocation_schema_version = text("invocationSchemaVersion")

    def reply(
        self,
        results: Iterable[dict[str, str]],
        *,
        treat_missing_keys_as: Literal["PermanentFailure", "TemporaryFailure", "Succeeded"] = "PermanentFailure",
    ) -> dict[str, Any]:
        """The answer, in the schema version of the call."""
        return {
            "invocationSchemaVersion": self.invocation_schema_version,
            "treatMissingKeysAs": treat_missing_keys_as,
            "invocationId": self.invocation_id,
            "results": list(results),
        }

    def __iter__(self) -> Iterator[S3BatchTask]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)
