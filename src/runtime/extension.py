"""The internal extension that does nothing, for the sake of SIGTERM.

Lambda sends SIGTERM only to environments with an extension. This one registers for no event and then waits for its
next one for ever, on a connection of its own, which costs one request at initialisation and one of ten places.
"""

from . import protocol
from .errors import PlatformError
from .wire import get, post

__all__ = ["register_for_sigterm"]

NAME = "handlerkit-graceful-shutdown"


def register_for_sigterm(client: "RuntimeClient", warn: "Callable[[str], object]") -> None:
    """Register over `client`, which must not be used for anything else and must live as long as the process."""
    body = b'{"events":[]}'
    head = post(
        client.address, protocol.EXTENSION_REGISTER, protocol.JSON, len(body), f"{protocol.EXTENSION_NAME}: {NAME}\r\n"
    )
    try:
        answer = client.exchange([head, body])
    except PlatformError as error:
        warn(f"no SIGTERM for on_shutdown: {error}")
        return
    identifier = answer.headers.get(protocol.EXTENSION_IDENTIFIER)
    if answer.status != protocol.OK or not identifier:
        warn(f"no SIGTERM for on_shutdown: registering the extension was refused with {answer.described()}")
        return
    client.park(
        [get(client.address, protocol.EXTENSION_NEXT, "", f"{protocol.EXTENSION_IDENTIFIER}: {identifier}\r\n")]
    )


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import RuntimeClient
