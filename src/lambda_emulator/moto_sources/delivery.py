"""From a source inside moto to a function of ours, or to a queue or topic of moto's. What fails is remembered."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambda_emulator.direct_sources.hub import DirectSources, NotHandedOver

__all__ = ["Delivery", "json_text"]


class Delivery:
    """For all sources of one embedded AWS."""

    def __init__(self, sources: DirectSources, now_s: Callable[[], float]) -> None:
        self.sources = sources
        self.now_s = now_s

    def to_function(self, arn: str, text: str, *, source: str) -> None:
        """Raises `NotHandedOver`, which is remembered."""
        from flask import has_request_context, request

        # What a function's SDK sends along; a schedule has none.
        trace_header = request.headers.get("X-Amzn-Trace-Id") if has_request_context() else None
        self.sources.hand_over(arn, text, source, trace_header)

    def to_target(self, target: Mapping[str, Any], text: str, *, source: str, event: str) -> None:
        """To a function, a queue or a topic; if that fails, to the target's dead-letter queue."""
        arn = target["Arn"]
        problem = None
        if arn.split(":")[2] == "lambda":
            try:
                self.to_function(arn, text, source=source)
            except NotHandedOver as error:
                problem = str(error)
        else:
            group_id = (target.get("SqsParameters") or {}).get("MessageGroupId")
            problem = self.send(arn, text, source=source, group_id=group_id)
        dead_letter_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if problem is not None and dead_letter_arn:
            attributes = {
                "ERROR_CODE": "NO_RESOURCE",
                "ERROR_MESSAGE": problem,
                "RULE_ARN" if ":rule/" in source else "SCHEDULE_ARN": source,
                "TARGET_ARN": arn,
            }
            self.send(dead_letter_arn, event, source=source, attributes=attributes)

    def send(
        self,
        arn: str,
        text: str,
        *,
        source: str,
        attributes: Mapping[str, str] | None = None,
        group_id: str | None = None,
    ) -> str | None:
        """To a queue or a topic; what was wrong, None for nothing."""
        _, _, service, region, account_id, name = arn.split(":", 5)
        if service not in ("sqs", "sns"):
            return self._missed(source, arn, "targets of this kind are not there", text)
        try:
            if service == "sqs":
                from moto.sqs.models import sqs_backends

                sqs_backends[account_id][region].send_message(
                    name,
                    text,
                    message_attributes={
                        key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items()
                    },
                    group_id=group_id,
                )
            else:
                from moto.sns.models import sns_backends

                sns_backends[account_id][region].publish(text, arn=arn)
        except Exception as error:  # noqa: BLE001 (moto raises what its HTTP answers would be)
            return self._missed(source, arn, f"{type(error).__name__}: {error}", text)
        return None

    def _missed(self, source: str, arn: str, reason: str, text: str) -> str:
        self.sources.missed(source, arn, reason, text)
        return reason


def json_text(value: Any) -> str:
    """As AWS writes it, without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
