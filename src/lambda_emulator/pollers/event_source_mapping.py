"""One event source mapping as the API shows it. A value; changes make another."""

import datetime
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lambda_emulator.pollers.mapping import MappingSettings

__all__ = ["EventSourceMapping", "State"]

State: TypeAlias = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """What was set, and how it stands."""

    uuid: str
    settings: MappingSettings
    function_arn: str
    state: State
    last_modified_s: float
    last_processing_result: str

    @property
    def arn(self) -> str:
        """The mapping's own ARN."""
        region, account_id = self.function_arn.split(":")[3:5]
        return f"arn:aws:lambda:{region}:{account_id}:event-source-mapping:{self.uuid}"

    def document(self) -> dict[str, Any]:
        """As the API has it, with `LastModified` as a datetime, as boto3 shows it."""
        queue = self.settings.source.is_queue
        document = {
            "UUID": self.uuid,
            "EventSourceMappingArn": self.arn,
            **self.settings.document(),
            "FunctionArn": self.function_arn,
            "LastModified": datetime.datetime.fromtimestamp(self.last_modified_s, datetime.UTC),
            "State": self.state,
            "StateTransitionReason": "USER_INITIATED" if queue else "User action",
        }
        if not queue:
            document["LastProcessingResult"] = self.last_processing_result
        return document
