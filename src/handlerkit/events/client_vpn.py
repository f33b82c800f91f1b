"""Client VPN: somebody wants to connect, the function says whether he may. `common-name` is `common_name`."""

from __future__ import annotations

from .fields import maybe_text, text
from .view import View

__all__ = ["ClientVpnEvent"]


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
