"""AWS Secrets Manager rotation, asynchronous: four calls, one for each step, each of which may be repeated.

Wire names are those of the event. Raise to fail; what the function returns is ignored.
"""

from __future__ import annotations

from .fields import maybe_text, text
from .view import View

__all__ = ["SecretsManagerRotationEvent"]


class SecretsManagerRotationEvent(View, kinds=("secretsmanager",)):
    """A step of a rotation: createSecret, setSecret, testSecret or finishSecret."""

    step = text("Step")
    secret_id = text("SecretId")
    client_request_token = text("ClientRequestToken")
    rotation_token = maybe_text("RotationToken", secret=True)
