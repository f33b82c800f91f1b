"""VPC Lattice, both versions of its event. Generic in the body.

Wire names are version 2's; version 1 writes in snake case (`raw_path` with the query in it) and has no request
context. Version 2 has lists where version 1 has texts, though samples of it show texts too: `headers` and `query` read
either. Body and `isBase64Encoded` are absent together.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import boolean, header_map, instant, maybe_text, text
from .generics import Generic
from .http_fields import AsItCame, BodyT, cookies, http_body, nearest_ip, query
from .nested import maybe_view, view
from .payload import Payload
from .view import View

__all__ = ["VpcLatticeContext", "VpcLatticeEvent", "VpcLatticeIdentity"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _AnyCaseField(Field["str | None"]):
    """Text under a key whose case varies."""

    __slots__ = ()

    def find(self, raw: dict[str, Any]) -> Any:
        value = raw.get(self.wire)
        if value is None:
            wanted = self.wire.lower()
            value = next((one for key, one in raw.items() if key.lower() == wanted and one is not None), None)
        return value


def _any_case(wire: str) -> Field[str | None]:
    return _AnyCaseField(wire, maybe_text(wire).decode, None)


class VpcLatticeIdentity(View):
    """Who calls: a VPC, a principal that signed the request, or the holder of a certificate."""

    source_vpc_arn = _any_case("sourceVpcArn")
    type = _any_case("type")
    principal = _any_case("principal")
    principal_org_id = _any_case("principalOrgID")
    session_name = _any_case("sessionName")
    x509_issuer_ou = _any_case("x509IssuerOu")
    x509_san_dns = _any_case("x509SanDns")
    x509_san_name_cn = _any_case("x509SanNameCn")
    x509_san_uri = _any_case("x509SanUri")
    x509_subject_cn = _any_case("x509SubjectCn")


class VpcLatticeContext(View):
    """Which service the function was reached through; empty in version 1."""

    service_network_arn = text("serviceNetworkArn")
    service_arn = text("serviceArn")
    target_group_arn = text("targetGroupArn")
    region = text("region")
    time_epoch = instant("timeEpoch")
    identity = maybe_view("identity", VpcLatticeIdentity)


class VpcLatticeEvent(View, Generic[BodyT], kinds=("vpc_lattice",), payloads=(AsItCame,)):
    """A request; `body` is text or bytes, or the type named: `VpcLatticeEvent[Order]`."""

    body: Payload[BodyT] = http_body()
    is_base64_encoded = boolean("isBase64Encoded", "is_base64_encoded")
    method = text("method")
    raw_path = text("raw_path", "path")
    headers = header_map()
    query = query("queryStringParameters", "query_string_parameters", text="raw_path", in_path=True)
    cookies = cookies()
    version = maybe_text("version")
    request_context = view("requestContext", VpcLatticeContext)

    @property
    def path(self) -> str:
        """The path, without the query that version 1 leaves on it."""
        return self.raw_path.partition("?")[0]

    @property
    def source_ip(self) -> str:
        """The address that connected: the last one that `X-Forwarded-For` names."""
        return nearest_ip(self.headers)
