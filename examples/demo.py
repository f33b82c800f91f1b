"""The main job on real input, for someone who sees this project for the first time (`make demo`).

A file goes into a bucket, and two functions in processes of their own do the rest, over queues, with one poisoned and
one repeated message. Everything is on this machine: AWS is an emulation inside this program.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "us-east-1:123456789012"
FILE = """\
{"order_id": "A-1", "total": 12.5}
{"order_id": "A-2", "total": 8}
{"order_id": "A-2", "total": 8}
two books, please
"""
COMMANDS = [
    (
        "The same from the command line: an event that is no order, and a handler that does not catch it.",
        ["examples/orders.strict", "--event", "examples/events/sqs_poison.json"],
        1,
    ),
    (
        "One cold start, then 500 invocations of the same environment, frozen in between as on Lambda.",
        ["examples/hello.handler", "--repeat", "500"],
        0,
    ),
]


class Shop:
    """The bucket, the queues, the table and the two functions."""

    def __init__(self, aws, clock):
        from lambda_emulator import FunctionConfiguration, LocalLambda

        self.aws, self.clock = aws, clock
        self.dead = self.queue("orders-dead")
        redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{ACCOUNT}:orders-dead", "maxReceiveCount": 3}
        orders = self.queue("orders", VisibilityTimeout="30", RedrivePolicy=json.dumps(redrive))
        self.payments = self.queue("payments")
        aws.client("dynamodb").create_table(
            TableName="orders-seen",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        environment = {**aws.environment, "ORDERS_QUEUE": orders, "PAYMENTS_QUEUE": self.payments}
        functions = [
            FunctionConfiguration(
                name=name,
                handler=f"examples/order_file.{name}",
                task_root=ROOT,
                environment=environment,
                timeout_s=10,
            )
            for name in ("read_file", "charge")
        ]
        self.service = LocalLambda(*functions, clock=clock, aws=aws.clients)
        self.service.create_event_source_mapping(
            "charge",
            f"arn:aws:sqs:{ACCOUNT}:orders",
            function_response_types=["ReportBatchItemFailures"],
        )
        self.s3 = aws.client("s3")
        self.s3.create_bucket(Bucket="incoming")
        wanted = {"LambdaFunctionArn": functions[0].arn, "Events": ["s3:ObjectCreated:*"]}
        self.s3.put_bucket_notification_configuration(
            Bucket="incoming", NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
        )

    def queue(self, name, **attributes):
        """Its URL."""
        return self.aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def bodies(self, queue):
        """What is in it."""
        found = self.aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return sorted(message["Body"] for message in found.get("Messages", []))


def story(bold, plain):
    """From the upload to the dead letter. Return whether everything became of it that should."""
    from lambda_emulator import EmbeddedAws, ManualClock

    began_s, clock = time.monotonic(), ManualClock()
    clock_began_s = clock.time()
    with EmbeddedAws(clock=clock) as aws:
        shop = Shop(aws, clock)
        with shop.service:
            print(f"\n{bold}1. A file with four orders goes into a bucket:{plain} one comes twice, one is no order.\n")
            print("".join(f"   {line}\n" for line in FILE.splitlines()))
            print("   $ aws s3 cp orders.jsonl 's3://incoming/orders of today.jsonl'", flush=True)
            shop.s3.put_object(Bucket="incoming", Key="orders of today.jsonl", Body=FILE.encode())
            passed = clock.run_until_quiet()
            print(f"\n{bold}2. S3 invokes read_file,{plain} a process of its own that polls a Runtime API.\n")
            for past in shop.service.history.of("read_file"):
                show(past)
            print(f"\n{bold}3. The queue's messages come to charge in batches.{plain} What fails is reported alone,")
            print("   so it comes again alone, when its 30 seconds of invisibility are over.")
            for past in shop.service.history.of("charge"):
                batch = json.loads(past.event)["Records"]
                answer = json.loads(past.payload)
                failed = len(batch) if past.failed else len(answer["batchItemFailures"])
                at_s = past.ended_s - clock_began_s
                print(f"\n   after {at_s:.0f} s: {count(len(batch), 'message')}, of which {failed or 'none'} failed")
                show(past)
            dead, payments = shop.bodies(shop.dead), shop.bodies(shop.payments)
    print(f"\n{bold}4. What became of it{plain}\n")
    print(f"   paid         {', '.join(payments)}")
    print("                A-2 came twice and was paid once: DynamoDB remembers what has been done")
    print(f"   dead letter  {', '.join(dead)}")
    print("                after three attempts it is set aside, and holds up nobody")
    took_s = time.monotonic() - began_s
    print(f"   time         {passed.total_seconds():.0f} s on the functions' clock, {took_s:.1f} s on yours")
    return payments == ["A-1 12.50", "A-2 8.00"] and dead == ["two books, please"]


def show(past):
    """What an invocation has logged, shortened: its own lines, and how long it took."""
    for line in past.log.splitlines():
        level, *_, message = line.split("\t") if line.startswith("[") else ("", line)
        if level:
            line = f"{level} {message}"
        elif line.startswith(("START ", "END ", "INIT_START ", "REPORT ", "Traceback ", " ")):
            continue
        print(f"   | {line if len(line) < 110 else line[:107] + '...'}")
    start = f", after a start of {past.report.init_ms:.0f} ms" if past.report.init_ms else ""
    print(f"   | took {past.report.duration_ms:.0f} ms{start}")


def count(number, noun):
    """`1 message`, `2 messages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main() -> int:
    """Show all of it; return 1 if something did not end as it should."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    if not story(bold, plain):
        print("this should have ended with two payments and one dead letter")
        return 1
    for number, (text, arguments, expected) in enumerate(COMMANDS, start=5):
        print(f"\n{bold}{number}. {text}{plain}\n\n   $ handlerkit invoke {' '.join(arguments)}\n", flush=True)
        status = subprocess.run(
            [sys.executable, "-m", "lambda_emulator.cli", "invoke", *arguments], cwd=ROOT, check=False
        ).returncode
        if status != expected:
            print(f"this should have ended with status {expected}, not {status}")
            return 1
    print(f"\n{bold}The functions{plain} are in examples/order_file.py; a test of such a queue is in docs/testing.md.")
    print("Next: README.md for a function of your own, docs/ for the details.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
