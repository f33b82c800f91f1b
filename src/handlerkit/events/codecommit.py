"""AWS CodeCommit triggers, asynchronous: branches and tags that were pushed, created or deleted.

Wire names are those of the event: `eventSourceARN` is `event_source_arn`. (Through EventBridge CodeCommit says more:
see `CodeCommitChange`.)
"""

from __future__ import annotations

from .fields import boolean, instant, integer, maybe_text, text
from .nested import views
from .view import View

__all__ = ["CodeCommitEvent", "CodeCommitRecord", "CodeCommitReference"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class CodeCommitReference(View):
    """One reference, e.g. `refs/heads/main`, and the commit it has come to."""

    ref = text("ref")
    commit = text("commit")
    created = boolean("created")
    deleted = boolean("deleted")

    @property
    def branch(self) -> str | None:
        """The branch's name, or None for a tag."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None

    @property
    def tag(self) -> str | None:
        """The tag's name, or None for a branch."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None


class CodeCommitRecord(View):
    """What happened in one repository."""

    references = views("references", CodeCommitReference, inside="codecommit")
    event_id = text("eventId")
    event_name = text("eventName")
    event_time = instant("eventTime")
    event_trigger_name = text("eventTriggerName")
    event_trigger_config_id = text("eventTriggerConfigId")
    event_part_number = integer("eventPartNumber")
    event_total_parts = integer("eventTotalParts")
    event_source = text("eventSource")
    event_source_arn = text("eventSourceARN")
    event_version = text("eventVersion")
    user_identity_arn = text("userIdentityARN")
    aws_region = text("awsRegion")
    custom_data = maybe_text("customData")

    @property
    def repository(self) -> str:
        """The repository's name."""
        return self.event_source_arn.rpartition(":")[2]


class CodeCommitEvent(View, kinds=("codecommit",)):
    """What a trigger hands over; iterating gives the records."""

    records = views("Records", CodeCommitRecord)

    def __iter__(self) -> Iterator[CodeCommitRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
