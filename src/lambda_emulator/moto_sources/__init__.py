"""How an embedded moto hands events to functions: to ours, where it would look for its own. Replaced here and nowhere
else, only in this process, only while open.

1. `s3`: notifications to our functions, and in S3's form to queues and topics too; delete markers and versions are
   told; destinations that do not exist, and settings that clash, are refused; tagging is told only where it was asked.
2. `sns`: subscriptions of functions; filter policies by our event patterns.
3. `rules`: EventBridge rules that are disabled or have only a schedule get no events; patterns are ours; `Input`,
   `InputPath` and `InputTransformer` hold for functions, queues and topics, with the target's dead-letter queue.
4. `schedules`: those of rules and of EventBridge Scheduler, which moto only stores.
5. `logs`: subscription filters of CloudWatch Logs.

moto is imported when this is put in its place: it costs 80 ms, and only an embedded AWS needs it.
"""

from lambda_emulator.moto_sources.sources import MotoSources

__all__ = ["MotoSources"]
