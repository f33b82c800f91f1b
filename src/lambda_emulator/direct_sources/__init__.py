"""Services that hand events to functions themselves: S3, SNS, EventBridge, its schedules, CloudWatch Logs.

Each of them gives Lambda an event to run asynchronously, and has done its part when it is accepted: retries, dead
letters and destinations from there on are Lambda's. Where the embedded AWS comes in is `moto_sources`, and only there.
"""

__all__: list[str] = []
