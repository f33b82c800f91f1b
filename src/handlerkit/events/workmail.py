"""Amazon WorkMail, synchronous or asynchronous: a message on its way in or out, without its body.

Wire names are those of the event. A synchronous function answers
`{"actions": [{"allRecipients": true, "action": {"type": "DEFAULT"}}]}`, or DROP, BOUNCE and others.
"""

from __future__ import annotations

from .fields import boolean, maybe_text, text
from .nested import view, views
from .view import View

__all__ = ["WorkMailAddress", "WorkMailEnvelope", "WorkMailEvent"]


class WorkMailAddress(View):
    """An address."""

    address = text("address")


class WorkMailEnvelope(View):
    """Sender and recipients as the servers exchanged them."""

    mail_from = view("mailFrom", WorkMailAddress)
    recipients = views("recipients", WorkMailAddress)


class WorkMailEvent(View, kinds=("workmail",)):
    """A message; `flow_direction` is INBOUND or OUTBOUND."""

    envelope = view("envelope", WorkMailEnvelope)
    sender = view("sender", WorkMailAddress)
    subject = maybe_text("subject")
    message_id = text("messageId")
    invocation_id = text("invocationId")
    flow_direction = text("flowDirection")
    truncated = boolean("truncated")
    summary_version = text("summaryVersion")
