"""What a runtime calls itself: read from its first requests, as the platform shows it. No I/O."""

from collections.abc import Mapping

from runtime import protocol

__all__ = ["RuntimeRelease"]

# The platform keeps no more than this.
_MAX_CHARACTERS = 128


class RuntimeRelease:
    """Learns the name from the first User-Agent and the features from the first request that lists them."""

    def __init__(self) -> None:
        self._agent = ""
        self._features = ""

    def learn(self, headers: Mapping[str, str]) -> None:
        """Look at one request's headers; what is known already is never replaced."""
        if not self._agent:
            self._agent = headers.get("user-agent", "").partition(" ")[0]
        if not self._features:
            self._features = headers.get(protocol.FEATURES, "").translate({ord("("): None, ord(")"): None}).strip()

    def __str__(self) -> str:
        """Such as `aws-lambda-python/3.13.1-4.2.2 (a b)`; empty while nothing is known."""
        if not self._features:
            return self._agent[:_MAX_CHARACTERS]
        agent = self._agent or "Unknown"
        room = _MAX_CHARACTERS - len(agent) - len(" ()")
        return f"{agent} ({self._features[:room]})" if room > 0 else agent[:_MAX_CHARACTERS]
