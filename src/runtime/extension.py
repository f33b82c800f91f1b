"""The internal extension that does nothing, for the sake of SIGTERM.

Lambda sends SIGTERM only to environments with an extension. This one registers for no event and then waits for its
next one for ever, on a connection of its own, which costs one request at initialisation and one of ten places.
"""

import sys

from . import protocol
from .errors import PlatformError
from .wire import get, post

__all__ = ["register_for_sigterm"]

NAME = "handlerkit-graceful-shutdown"


def register_for_sigterm(origin: "RuntimeClient") -> "RuntimeClient | None":
    """Register the extension, if the function has hooks for its shutdown. Before the first `/next`.

    The client that comes back waits on a connection of its own and must live as long as the process.
    """
    lifecycle = sys.modules.get(f"{__package__}.lifecycle")
    if lifecycle is None or not lifecycle.has_shutdown_hooks():
        return None
    client = origin.another()
    body = b'{"events":[]}'
    head = post(
        client.address, protocol.EXTENSION_REGISTER, protocol.JSON, len(body), f"{protocol.EXTENSION_NAME}: {NAME}\r\n"
    )
    try:
        answer = client.exchange([head, body])
    except PlatformError as error:
        origin.warn(f"no SIGTERM for on_shutdown: {error}")
        return None
    identifier = answer.headers.get(protocol.EXTENSION_IDENTIFIER)
    if answer.status != protocol.OK or not identifier:
        origin.warn(f"no SIGTERM for on_shutdown: registering the extension was refused with {answer.described()}")
        return None
    client.park(
        [get(client.address, protocol.EXTENSION_NEXT, "", f"{protocol.EXTENSION_IDENTIFIER}: {identifier}\r\n")]
    )
    return client


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import RuntimeClient
