"""Notifications of buckets."""

import contextlib
import re
import threading
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from lambda_emulator.direct_sources.hub import NotHandedOver
from lambda_emulator.direct_sources.s3_record import ObjectEvent, Wanted, clash, iso_ms
from lambda_emulator.moto_sources.delivery import Delivery, json_text
from lambda_emulator.moto_sources.patches import Patches

__all__ = ["BucketNotifications"]

# Of no bytes: what S3 says of a delete marker.
_EMPTY_MD5: Final = "d41d8cd98f00b204e9800998ecf8427e"
_REMOVED: Final = "ObjectRemoved:"
_FILTER_NAME: Final = re.compile(r"<Name>(prefix|suffix)</Name>", re.IGNORECASE)


class BucketNotifications:
    """Those of all buckets."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._tagging_asked: ContextVar[bool] = ContextVar("tagging_asked", default=False)
        self._completing: ContextVar[bool] = ContextVar("completing", default=False)
        self._lock = threading.Lock()
        self._last_sequencer = 0

    def mend(self, patches: Patches) -> None:
        """Put it in place."""
        from moto.s3 import notifications
        from moto.s3.models import FakeBucket, S3Backend
        from moto.s3.responses import S3Response

        patches.replace(notifications, "send_event", self._send_event)
        patches.replace(notifications, "_get_test_event", self._test_event)
        patches.replace(S3Response, "put_object_tagging", self._put_object_tagging)
        patches.replace(S3Response, "_notification_config_from_body", self._read_configuration)
        patches.replace(S3Backend, "complete_multipart_upload", self._complete)
        patches.replace(S3Backend, "delete_object", self._delete_object)
        patches.replace(FakeBucket, "set_notification_configuration", self._configure)

    def _send_event(self, _original: Any, account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        name = event_name.value.removeprefix("s3:")
        removed = name.startswith(_REMOVED)
        if removed and bucket.is_versioned:
            return  # `_delete_object` tells it, with the version
        if name == "ObjectTagging:Put" and not self._tagging_asked.get():
            return  # moto sets an object's tags with each upload
        if name == "ObjectCreated:Put" and self._completing.get():
            return  # moto puts the object together by an upload of its own
        self._tell(
            account_id,
            name,
            bucket,
            key.name,
            size=None if removed else key.size,
            e_tag=None if removed else key.etag.strip('"'),
            version_id=key.version_id if bucket.is_versioned else None,
        )

    def _put_object_tagging(self, original: Any, response: Any) -> Any:
        token = self._tagging_asked.set(True)
        try:
            return original(response)
        finally:
            self._tagging_asked.reset(token)

    def _complete(self, original: Any, *arguments: Any, **settings: Any) -> Any:
        token = self._completing.set(True)
        try:
            return original(*arguments, **settings)
        finally:
            self._completing.reset(token)

    def _delete_object(
        self, original: Any, backend: Any, bucket_name: str, key_name: str, version_id: str | None = None, **more: Any
    ) -> Any:
        bucket = backend.get_bucket(bucket_name)
        versions = [str(each.version_id) for each in bucket.keys.getlist(key_name, [])]
        done, answer = original(backend, bucket_name, key_name, version_id=version_id, **more)
        if done and bucket.is_versioned:
            told: dict[str, Any] | None = None
            if version_id is None:
                name, told = "DeleteMarkerCreated", {"e_tag": _EMPTY_MD5, "version_id": answer["version-id"]}
            elif version_id in versions:
                name, told = "Delete", {"e_tag": None, "version_id": version_id}
            if told is not None:
                self._tell(backend.account_id, f"{_REMOVED}{name}", bucket, key_name, size=None, **told)
        return done, answer

    def _read_configuration(self, original: Any, response: Any) -> Any:
        body = response.body if isinstance(response.body, str) else response.body.decode()
        # S3 takes the names of filters in any case, and gives them back as Prefix and Suffix.
        response.body = _FILTER_NAME.sub(lambda match: match[0].lower().replace("name", "Name"), body)
        return original(response)

    def _configure(self, original: Any, bucket: Any, configuration: Mapping[str, Any] | None) -> None:
        self._check(configuration or {})
        before = bucket.notification_configuration
        try:
            original(bucket, configuration)
        except BaseException:
            bucket.notification_configuration = before
            raise

    def _test_event(self, _original: Any, bucket_name: str) -> dict[str, str]:
        return {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": iso_ms(self._delivery.now_s()),
            "Bucket": bucket_name,
            "RequestId": uuid.uuid4().hex[:16].upper(),
            "HostId": uuid.uuid4().hex,
        }

    def _tell(self, account_id: str, name: str, bucket: Any, key: str, **thing: Any) -> None:
        """An object's event, to whom the bucket's configuration names."""
        from moto.s3 import notifications

        configuration = bucket.notification_configuration
        if configuration is None:
            return
        event = ObjectEvent(
            name=name,
            account_id=account_id,
            region=bucket.region_name,
            at_s=self._delivery.now_s(),
            bucket=bucket.name,
            key=key,
            sequencer=self._next_sequencer(),
            **thing,
        )
        for wanted in configuration.cloud_function:
            if wanted.matches(f"s3:{name}", key):
                text = json_text({"Records": [event.record(wanted.id)]})
                with contextlib.suppress(NotHandedOver):  # remembered; S3 has no dead-letter queue
                    self._delivery.to_function(wanted.arn, text, source=bucket.arn)
        for kind, send in (("queue", notifications._send_sqs_message), ("topic", notifications._send_sns_message)):
            for wanted in getattr(configuration, kind):
                if wanted.matches(f"s3:{name}", key):
                    where = wanted.arn.split(":")[-1] if kind == "queue" else wanted.arn
                    send(account_id, {"Records": [event.record(wanted.id)]}, where, wanted.arn.split(":")[3])
        if configuration.event_bridge is not None and (told := event.event()) is not None:
            from moto.events.models import events_backends

            bus: Any = events_backends[account_id][event.region].event_buses["default"]
            for rule in list(bus.rules.values()):
                rule.send_to_targets(told)

    def _next_sequencer(self) -> str:
        """Larger each time, whatever the clock does."""
        with self._lock:
            self._last_sequencer = max(self._last_sequencer + 1, int(self._delivery.now_s() * 1_000_000) << 8)
            return f"{self._last_sequencer:018X}"

    def _check(self, configuration: Mapping[str, Any]) -> None:
        """Raises what S3 answers where a destination is not there, or two settings clash."""
        from moto.s3.exceptions import S3ClientError

        wanted: list[Wanted] = []
        for kind in ("Topic", "Queue", "CloudFunction"):
            for each in configuration.get(f"{kind}Configuration") or ():
                rules = ((each.get("Filter") or {}).get("S3Key") or {}).get("FilterRule") or ()
                filters = {rule["Name"]: rule["Value"] for rule in rules}
                wanted.append(Wanted(each["Event"], filters.get("prefix", ""), filters.get("suffix", "")))
                if not self._exists(kind, each[kind]):
                    raise S3ClientError(
                        "InvalidArgument", "Unable to validate the following destination configurations"
                    )
        if clash(wanted):
            raise S3ClientError(
                "InvalidArgument",
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type.",
            )

    def _exists(self, kind: str, arn: str) -> bool:
        if kind == "CloudFunction":
            return self._delivery.sources.knows(arn)
        _, _, _, region, account_id, name = (*arn.split(":", 5), "", "")[:6]
        if kind == "Queue":
            from moto.sqs.models import sqs_backends

            return name in sqs_backends[account_id][region].queues
        from moto.sns.models import sns_backends

        return arn in sns_backends[account_id][region].topics
