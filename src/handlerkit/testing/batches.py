"""Events of services that hand over a batch to be worked on: Firehose, DocumentDB, S3 Batch Operations."""

from __future__ import annotations

from handlerkit.reply import jsonable

from .wire import ACCOUNT, REGION, SENT_AT_MS, as_base64, as_bytes, digest, uuid

__all__ = ["documentdb_event", "firehose_event", "s3_batch_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal


def firehose_event(
    data: Iterable[Any], *, stream: str = "events", source: Literal["direct", "kinesis", "msk"] = "direct"
) -> dict[str, Any]:
    """A batch for Firehose to have transformed, one record per payload."""
    records = []
    for number, payload in enumerate(data):
        record: dict[str, Any] = {
            "recordId": f"{49_546_986_683_135_544_286_507_457_936_321_625_675_700_192_471_156_785_154 + number}",
            "approximateArrivalTimestamp": SENT_AT_MS + number,
        }
        content = as_base64(as_bytes(payload))
        if source == "msk":
            record["kafkaRecordValue"] = content
            record["mskRecordMetadata"] = {
                "offset": str(number),
                "partitionId": "0",
                "approximateArrivalTimestamp": SENT_AT_MS + number,
            }
        else:
            record["data"] = content
        if source == "kinesis":
            record["kinesisRecordMetadata"] = {
                "shardId": "shardId-000000000000",
                "partitionKey": f"key-{number}",
                "approximateArrivalTimestamp": SENT_AT_MS + number,
                "sequenceNumber": record["recordId"],
                "subsequenceNumber": 0,
            }
        records.append(record)
    event: dict[str, Any] = {
        "invocationId": uuid(0),
        "deliveryStreamArn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{stream}",
        "region": REGION,
        "records": records,
    }
    if source == "kinesis":
        event["sourceKinesisStreamArn"] = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"
    if source == "msk":
        event["sourceMSKArn"] = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/{stream}/{uuid(0)}-1"
    return event


def documentdb_event(
    *documents: Any, operation: str = "insert", database: str = "shop", collection: str = "orders"
) -> dict[str, Any]:
    """Changes of a DocumentDB collection, one per document; extended JSON where a document holds any.

    A document without `_id` gets one. A deletion tells the key alone.
    """
    events = []
    for number, given in enumerate(documents):
        document = jsonable(given)
        identifier = document.get("_id", {"$oid": digest(str(number), "md5")[:24]})
        change: dict[str, Any] = {
            "_id": {"_data": f"01{digest(str(number), 'md5')}"},
            "clusterTime": {"$timestamp": {"t": SENT_AT_MS // 1000, "i": number + 1}},
            "documentKey": {"_id": identifier},
            "ns": {"db": database, "coll": collection},
            "operationType": operation,
        }
        if operation != "delete":
            change["fullDocument"] = {"_id": identifier, **document}
        events.append({"event": change})
    return {
        "eventSourceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{database}",
        "events": events,
        "eventSource": "aws:docdb",
    }


def s3_batch_event(
    bucket: str,
    *keys: str,
    version_id: str | None = None,
    arguments: Mapping[str, str] | None = None,
    schema: Literal["1.0", "2.0"] = "2.0",
) -> dict[str, Any]:
    """A task of a batch job per key, in practice one; keys are plain and encoded as S3 does.

    `arguments` are the job's, which only schema 2.0 has.
    """
    from urllib.parse import quote_plus

    tasks: list[dict[str, Any]] = []
    for number, key in enumerate(keys):
        where = {"s3Bucket": bucket} if schema == "2.0" else {"s3BucketArn": f"arn:aws:s3:::{bucket}"}
        task = {"taskId": f"task-{number}", "s3Key": quote_plus(key, safe="/"), "s3VersionId": version_id}
        tasks.append(task | where)
    job: dict[str, Any] = {"id": uuid(1)}
    if schema == "2.0":
        job["userArguments"] = dict(arguments or {})
    return {"invocationSchemaVersion": schema, "invocationId": uuid(0), "job": job, "tasks": tasks}
