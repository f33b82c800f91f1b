"""Cognito Sync, which is kept for old applications: a device synchronises a dataset, the function may change it."""

from __future__ import annotations

from .fields import integer, maybe_text, text
from .nested import view_map
from .view import View

__all__ = ["CognitoSyncEvent", "CognitoSyncRecord"]


class CognitoSyncRecord(View):
    """What becomes of one key; `op` is `replace` or `remove`."""

    op = text("op")
    old_value = maybe_text("oldValue")
    new_value = maybe_text("newValue")


class CognitoSyncEvent(View, kinds=("cognito_sync",)):
    """A dataset of one identity; return the event, its records edited, to say what is to be stored."""

    dataset_name = text("datasetName")
    dataset_records = view_map("datasetRecords", CognitoSyncRecord)
    identity_id = text("identityId")
    identity_pool_id = text("identityPoolId")
    event_type = text("eventType")
    region = text("region")
    version = integer("version")
