"""S3 upload notifications: note what was uploaded, skip what is too large.

A plain handler on plain dicts; it runs the same under any Python runtime on Lambda.
"""

import logging
from urllib.parse import unquote_plus

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)

LIMIT_BYTES = 1_000_000


def handler(event, context):
    """Take an S3 event; return the keys that were accepted and those that were not."""
    accepted, refused = [], []
    for record in event["Records"]:
        stored = record["s3"]
        key = unquote_plus(stored["object"]["key"])
        place = f"s3://{stored['bucket']['name']}/{key}"
        if stored["object"]["size"] > LIMIT_BYTES:
            log.warning("%s has %d bytes, more than %d", place, stored["object"]["size"], LIMIT_BYTES)
            refused.append(key)
            continue
        log.info("%s has %d bytes; %d ms left", place, stored["object"]["size"], context.get_remaining_time_in_millis())
        accepted.append(key)
    return {"accepted": accepted, "refused": refused}
