"""Subscriptions of functions to topics."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from lambda_emulator.direct_sources.hub import NotHandedOver
from lambda_emulator.direct_sources.sns_record import Notification, passes
from lambda_emulator.moto_sources.delivery import Delivery, json_text
from lambda_emulator.moto_sources.patches import Patches
from lambda_emulator.pollers.filter_pattern import InvalidPattern

__all__ = ["Subscriptions"]

_FUNCTION_ARN: Final = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?")


class Subscriptions:
    """Those of all topics."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def mend(self, patches: Patches) -> None:
        """Put it in place."""
        from moto.sns.models import SNSBackend, Subscription
        from moto.sns.utils import FilterPolicyMatcher

        patches.replace(FilterPolicyMatcher, "matches", self._matches)
        patches.replace(SNSBackend, "subscribe", self._subscribe)
        patches.replace(Subscription, "publish", self._publish)

    def _matches(self, original: Any, matcher: Any, attributes: Mapping[str, Any] | None, message: str) -> bool:
        try:
            return passes(matcher.filter_policy or {}, matcher.filter_policy_scope, attributes or {}, message)
        except InvalidPattern:  # accepted by moto, so moto knows what is meant
            return bool(original(matcher, attributes, message))

    def _subscribe(self, original: Any, backend: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        from moto.sns.exceptions import SNSInvalidParameter

        if protocol == "lambda" and not _FUNCTION_ARN.fullmatch(endpoint):
            raise SNSInvalidParameter("Invalid parameter: Lambda endpoint ARN")
        return original(backend, topic_arn, endpoint, protocol)

    def _publish(self, original: Any, subscription: Any, message: str, message_id: str, **more: Any) -> None:
        if subscription.protocol != "lambda":
            original(subscription, message, message_id, **more)
            return
        attributes = more.get("message_attributes")
        matcher = subscription._filter_policy_matcher
        if matcher is not None and not matcher.matches(attributes, message):
            return
        if more.get("message_structure") == "json":
            message = subscription._parse_message_structure(message, "lambda")
        topic_arn = subscription.topic.arn
        event = Notification(
            subscription_arn=subscription.arn,
            topic_arn=topic_arn,
            message_id=message_id,
            message=message,
            subject=more.get("subject"),
            attributes=attributes or {},
            at_s=self._delivery.now_s(),
        ).event()
        try:
            self._delivery.to_function(subscription.endpoint, json_text(event), source=topic_arn)
        except NotHandedOver as error:
            policy = subscription.attributes.get("RedrivePolicy")
            if dead_letter_arn := json.loads(policy).get("deadLetterTargetArn") if policy else None:
                reason = {"ErrorCode": "404", "ErrorMessage": str(error), "RequestID": str(uuid.uuid4())}
                text = json_text(event["Records"][0]["Sns"])
                self._delivery.send(dead_letter_arn, text, source=topic_arn, attributes=reason)
