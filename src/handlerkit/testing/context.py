"""The context of a handler, for unit tests."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

from .wire import ACCOUNT, REGION, digest

__all__ = ["FakeContext"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FakeContext:
    """What a handler sees of the platform; `remaining_ms` counts down from the moment it is made.

    It has all that the managed runtime's context has, `memory_limit_in_mb` as text like there. The caller is no Cognito
    identity: `identity` is there, as on Lambda, and its ids are None.
    """

    def __init__(
        self,
        *,
        function_name: str = "orders",
        function_version: str = "$LATEST",
        memory_limit_in_mb: int | str = 128,
        aws_request_id: str = "00000000-0000-4000-8000-000000000000",
        remaining_ms: int = 30_000,
        tenant_id: str | None = None,
    ) -> None:
        self.function_name = function_name
        self.function_version = function_version
        self.memory_limit_in_mb = str(memory_limit_in_mb)
        self.aws_request_id = aws_request_id
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"2026/01/01/[{function_version}]{digest(function_name, 'md5')}"
        self.tenant_id = tenant_id
        self.identity: Any = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context: Any = None
        self._deadline_s = time.monotonic() + remaining_ms / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function would be stopped, never negative."""
        return max(0, int((self._deadline_s - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        """Write text to standard output as it is."""
        sys.stdout.write(str(message))

    def w3c(self) -> dict[str, str]:
        """The W3C trace fields of the client context: none."""
        return {}
