"""The certificate of a client that authenticated with one (mutual TLS), as both API Gateway formats show it."""

from __future__ import annotations

from .fields import instant, text
from .nested import view
from .view import View

__all__ = ["CertificateValidity", "ClientCertificate"]


class CertificateValidity(View):
    """From when to when."""

    not_before = instant("notBefore")
    not_after = instant("notAfter")


class ClientCertificate(View):
    """The certificate, verified against the domain's trust store."""

    client_cert_pem = text("clientCertPem")
    subject_dn = text("subjectDN")
    issuer_dn = text("issuerDN")
    serial_number = text("serialNumber")
    validity = view("validity", CertificateValidity)
