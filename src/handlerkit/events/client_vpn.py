"""Client VPN: somebody wants to connect, the function says whether he may. `common-name` is `common_name`."""

from __future__ import annotations

from .fields import maybe_text, text
from .view import View

__all__ = ["ClientVpnEvent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handlerkit.answers.logins import VpnDecision


class ClientVpnEvent(View, kinds=("clientvpn",)):
    """A connection about to open; `username` is absent where certificates are all there is."""

    connection_id = text("connection-id")
    endpoint_id = text("endpoint-id")
    common_name = text("common-name")
    username = maybe_text("username")
    platform = text("platform")
    platform_version = text("platform-version")
    public_ip = text("public-ip")
    client_openvpn_version = text("client-openvpn-version")
    schema_version = text("schema-version")
    answered_by = "logins"

    def allow(self) -> VpnDecision:
        """Let the client connect."""
        return self._decided(True, "")

    def deny(self, message: str = "") -> VpnDecision:
        """Keep the client out; the message is shown to its user."""
        return self._decided(False, message)

    def _decided(self, allow: bool, message: str) -> VpnDecision:
        from handlerkit.answers.logins import VpnDecision  # late: it is needed for the answer

        decision = VpnDecision(allow=allow)
        decision["error-msg-on-failed-posture-compliance"] = message
        decision["posture-compliance-statuses"] = []
        decision["schema-version"] = self.schema_version or "v2"
        return decision
