"""Event source mappings: queues and streams that are polled, and what becomes of a batch.

The rules are pure and know neither a process nor a socket: `filter_pattern`, `filter_criteria`, `mapping`,
`batch_response`, `batching`, `message_groups`, `scaling`, `attempts`, `tumbling_window`, `failure_document`,
`sqs_record`, `stream_record`. The pollers (`sqs`, `shard`, `streams`) carry them out through boto3, and `registry`
holds the mappings of one `LocalLambda`.
"""

__all__: list[str] = []
