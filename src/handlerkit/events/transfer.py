"""AWS Transfer Family: identity providers (synchronous) and workflow steps (asynchronous).

Wire names are those of the event. An identity provider returns at least `Role`, or `{}` to deny; with an empty
password it returns `PublicKeys`, which the service checks. A workflow step answers with `SendWorkflowStepState`.
"""

from __future__ import annotations

from .fields import maybe_text, text
from .nested import view
from .view import View

__all__ = ["TransferFileLocation", "TransferIdentityEvent", "TransferWorkflowEvent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from handlerkit.answers.logins import LoginDecision


class TransferIdentityEvent(View, kinds=("transfer.idp",)):
    """Somebody who wants to log in; `protocol` is SFTP, FTPS, FTP, AS2, …"""

    username = text("username")
    password = text("password", secret=True)
    protocol = text("protocol")
    server_id = text("serverId")
    source_ip = text("sourceIp")

    @property
    def is_key_login(self) -> bool:
        """Whether a public key is to be checked and not a password."""
        return not self.password

    answered_by = "logins"

    def allow(
        self,
        role: str,
        *,
        home_directory: str | None = None,
        home_directories: Mapping[str, str] | None = None,
        policy: Mapping[str, Any] | str | None = None,
        public_keys: Iterable[str] = (),
        posix_profile: Mapping[str, Any] | None = None,
    ) -> LoginDecision:
        """Let the user in. `home_directories` maps what he sees to where it is, and hides all else from him."""
        from handlerkit.answers.logins import LoginDecision  # late: it is needed for the answer
        from handlerkit.reply import encoded

        decision = LoginDecision(Role=role)
        if home_directory is not None:
            decision["HomeDirectory"] = home_directory
        if home_directories is not None:
            entries = [{"Entry": entry, "Target": target} for entry, target in home_directories.items()]
            decision["HomeDirectoryType"] = "LOGICAL"
            decision["HomeDirectoryDetails"] = encoded(entries).decode()
        if policy is not None:
            decision["Policy"] = policy if isinstance(policy, str) else encoded(policy).decode()
        if keys := list(public_keys):
            decision["PublicKeys"] = keys
        if posix_profile is not None:
            decision["PosixProfile"] = dict(posix_profile)
        return decision

    def deny(self) -> LoginDecision:
        """Keep the user out."""
        from handlerkit.answers.logins import LoginDecision

        return LoginDecision()


class TransferFileLocation(View):
    """The file: in S3 (`bucket`, `key`) or in EFS (`file_system_id`, `path`), as `domain` says. Keys are plain."""

    domain = text("domain")
    bucket = maybe_text("bucket")
    key = maybe_text("key")
    e_tag = maybe_text("eTag")
    version_id = maybe_text("versionId")
    file_system_id = maybe_text("fileSystemId")
    path = maybe_text("path")


class TransferExecution(View):
    """The run of the workflow."""

    workflow_id = text("workflowId")
    execution_id = text("executionId")


class TransferDetails(View):
    """The transfer that set the workflow off."""

    session_id = text("sessionId")
    user_name = text("userName")
    server_id = text("serverId")


class TransferServiceMetadata(View):
    """Workflow and transfer."""

    execution_details = view("executionDetails", TransferExecution)
    transfer_details = view("transferDetails", TransferDetails)


class TransferWorkflowEvent(View, kinds=("transfer.workflow",)):
    """A custom step of a workflow, for one file."""

    token = text("token", secret=True)
    file_location = view("fileLocation", TransferFileLocation)
    service_metadata = view("serviceMetadata", TransferServiceMetadata)
