"""All of it, put in place and taken away together."""

from collections.abc import Callable

from lambda_emulator.direct_sources.hub import DirectSources, UndeliveredEvent
from lambda_emulator.moto_sources.delivery import Delivery
from lambda_emulator.moto_sources.logs import LogSubscriptions
from lambda_emulator.moto_sources.patches import Patches
from lambda_emulator.moto_sources.rules import Rules
from lambda_emulator.moto_sources.s3 import BucketNotifications
from lambda_emulator.moto_sources.schedules import StoredSchedules
from lambda_emulator.moto_sources.sns import Subscriptions

__all__ = ["MotoSources"]


class MotoSources:
    """From `mend` to `restore`."""

    def __init__(self, sources: DirectSources, now_s: Callable[[], float]) -> None:
        self._sources = sources
        self._patches = Patches()
        delivery = Delivery(sources, now_s)
        self._schedules = StoredSchedules(delivery)
        self._parts = (
            BucketNotifications(delivery),
            Subscriptions(delivery),
            Rules(delivery),
            self._schedules,
            LogSubscriptions(delivery),
        )

    def mend(self) -> None:
        """Put ours in moto's place."""
        for part in self._parts:
            part.mend(self._patches)

    def restore(self) -> None:
        """As moto was."""
        self._patches.undo()

    def reset(self) -> None:
        """moto has forgotten everything."""
        self._sources.undelivered.clear()
        self._schedules.follow()

    def undelivered(self) -> list[UndeliveredEvent]:
        """What targets did not take."""
        return list(self._sources.undelivered)
