"""Records of Lambda's destinations: what became of an asynchronous invocation, or of a batch that was given up.

They reach a function directly, in SQS and SNS (`SqsEvent[LambdaDestinationEvent]`) and as an EventBridge detail
(`EventBridgeEvent[LambdaDestinationEvent]`). Wire names are those of the record. Generic in the payload of the
request and of the response; of a batch there is neither, but where in the stream it was.
"""

from __future__ import annotations

from .fields import instant, integer, mapping, maybe_integer, maybe_text, text
from .generics import Any, Generic, TypeVar
from .lenient_json import json_or_text
from .nested import maybe_view, view
from .payload import Payload, object_payload
from .view import View

__all__ = [
    "LambdaBatchInfo",
    "LambdaDestinationEvent",
    "LambdaRequestContext",
    "LambdaResponseContext",
]

RequestT = TypeVar("RequestT", default=Any)
ResponseT = TypeVar("ResponseT", default=Any)


class LambdaRequestContext(View):
    """The invocation; `condition` is Success, RetriesExhausted, EventAgeExceeded, RetryAttemptsExhausted, …"""

    request_id = text("requestId")
    function_arn = text("functionArn")
    condition = text("condition")
    approximate_invoke_count = integer("approximateInvokeCount")


class LambdaResponseContext(View):
    """The last response; `function_error` is None where the function itself reported items that failed."""

    status_code = maybe_integer("statusCode")
    executed_version = maybe_text("executedVersion")
    function_error = maybe_text("functionError")


class LambdaBatchInfo(View):
    """Where a batch was: in a shard of a stream, or, for Kafka, in partitions (`records_info`)."""

    batch_size = maybe_integer("batchSize")
    stream_arn = maybe_text("streamArn", "eventSourceArn")
    shard_id = maybe_text("shardId")
    start_sequence_number = maybe_text("startSequenceNumber")
    end_sequence_number = maybe_text("endSequenceNumber")
    approximate_arrival_of_first_record = instant("approximateArrivalOfFirstRecord")
    approximate_arrival_of_last_record = instant("approximateArrivalOfLastRecord")
    bootstrap_servers = maybe_text("bootstrapServers")
    payload_size = maybe_integer("payloadSize")
    records_info = mapping("recordsInfo")


class LambdaDestinationEvent(
    View, Generic[RequestT, ResponseT], kinds=("lambda_destination",), payloads=(object, object)
):
    """What became of an invocation; payloads are JSON values, or the types named."""

    request_context = view("requestContext", LambdaRequestContext)
    response_context = maybe_view("responseContext", LambdaResponseContext)
    request_payload: Payload[RequestT | None] = object_payload("requestPayload", optional=True)
    response_payload: Payload[ResponseT | None] = object_payload("responsePayload", parameter=1, optional=True)
    timestamp = instant("timestamp")
    version = text("version")
    kinesis_batch_info = maybe_view("KinesisBatchInfo", LambdaBatchInfo)
    ddb_stream_batch_info = maybe_view("DDBStreamBatchInfo", LambdaBatchInfo)
    kafka_batch_info = maybe_view("KafkaBatchInfo", LambdaBatchInfo)
    payload = json_or_text("payload")

    @property
    def is_success(self) -> bool:
        """Whether the function succeeded."""
        return self.request_context.condition == "Success"

    @property
    def batch_info(self) -> LambdaBatchInfo | None:
        """Where the batch was that was given up; None for an asynchronous invocation."""
        return self.kinesis_batch_info or self.ddb_stream_batch_info or self.kafka_batch_info
