"""`handlerkit serve` as users run it: a process, HTTP, boto3 against its endpoints, files that change, real signals."""

import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lambda_emulator.clock import RealClock
from lambda_emulator.embedded_aws import EmbeddedAws
from tests.command.served import Served, processes_that_know

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "lambda_emulator.cli", "serve"]

ANSWERING = """
def handler(event, context):
    return {"statusCode": 200, "body": "first"}
"""
# Says that it runs, and goes on when it is told to: by files, since the process has nothing else.
OBEYING = """
import os, pathlib, time

HERE = pathlib.Path(os.environ["SCENE"])


def handler(event, context):
    (HERE / "runs").write_text(str(os.getpid()))
    while not (HERE / "go").exists():
        time.sleep(0.01)
    return {"statusCode": 200, "body": "old code"}
"""


def write(path: Path, text: str) -> None:
    """As editors do: a new file in the place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(textwrap.dedent(text))
    beside.replace(path)


def project(folder: Path, toml: str, **modules: str) -> None:
    """A TOML project with its code in `code`."""
    write(folder / "handlerkit.toml", toml)
    for name, text in modules.items():
        write(folder / "code" / f"{name}.py", text)


@pytest.fixture
def answering(tmp_path: Path) -> Path:
    """A project of one function with a URL."""
    project(tmp_path, '[functions.web]\nhandler = "app.handler"\ncode = "code"\nurl = true\n', app=ANSWERING)
    return tmp_path


@pytest.fixture
def obeying(tmp_path: Path) -> Path:
    """One function that runs until it is told to end."""
    project(
        tmp_path,
        f"""
        [functions.web]
        handler = "app.handler"
        code = "code"
        url = true
        timeout_s = 60
        environment = {{ SCENE = "{tmp_path}" }}
        """,
        app=OBEYING,
    )
    return tmp_path


class Call:
    """A request in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.answer: httpx.Response | Exception | None = None
        self._thread = threading.Thread(target=self._get, args=(url,))
        self._thread.start()

    def _get(self, url: str) -> None:
        try:
            self.answer = httpx.get(url, timeout=60)
        except httpx.HTTPError as error:
            self.answer = error

    def result(self) -> "httpx.Response | Exception | None":
        """Wait for it."""
        self._thread.join(60)
        return self.answer


def wait_for_file(path: Path) -> str:
    """Its content, once it has one."""
    deadline_s = time.monotonic() + 45
    while time.monotonic() < deadline_s:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    raise AssertionError(f"there is no {path.name}")


@pytest.mark.parametrize(
    ("arguments", "web", "api", "failed"),
    [
        (["--template", "serve/template.yaml"], "Web", "ServerlessHttpApi", "OrdersFailed"),
        (["--config", "serve/handlerkit.toml"], "web", "http API", "orders-failed"),
    ],
    ids=["template", "toml"],
)
def test_the_example_takes_orders_books_them_and_puts_aside_what_cannot_be_booked(
    tmp_path: Path, arguments: list[str], web: str, api: str, failed: str
) -> None:
    shutil.copytree(ROOT / "examples" / "serve", tmp_path / "serve", ignore=shutil.ignore_patterns("__pycache__"))
    # A minute of invisibility takes 3 seconds: long enough for a slow machine to start a function meanwhile.
    with Served(*arguments, "--speed", "20", folder=tmp_path) as served:
        taken = httpx.post(f"{served.url(api)}/orders", json={"article": "book", "quantity": 2}, timeout=30)
        assert taken.status_code == 202
        too_many = {"article": "map", "quantity": 200}
        assert httpx.post(f"{served.url(api)}/orders", json=too_many, timeout=30).status_code == 202

        served.wait_for(r"\| booked 2 × book")
        found = httpx.get(f"{served.url(api)}/orders/{taken.json()['id']}", timeout=30)
        assert found.json() == {"id": taken.json()["id"], "article": "book", "quantity": 2}

        served.wait_for(r"\| ValueError: 200 × map is more than there are")
        served.wait_for(r"sqs: \d records?, received 2 times")
        served.wait_for(rf"dead letter: {failed} holds 1 message")
        path = {"rawPath": "/orders/none", "pathParameters": {"id": "none"}, "version": "2.0",
                "requestContext": {"http": {"method": "GET", "path": "/orders/none"}}, "headers": {}}  # fmt: skip
        assert served.invoke(web, path)["statusCode"] == 404
        assert served.stop() == 0
        assert served.lines[-1].endswith("stopped")


def test_the_layers_own_template_is_served(tmp_path: Path) -> None:
    with Served("--template", str(ROOT / "layer" / "template.yaml"), "--no-reload", folder=tmp_path) as served:
        assert "Layers are left out" in served.text
        assert "4 AWS::CloudWatch::Alarm" in served.text
        served.wait_for(r"/OrdersQueue → OrdersFunction")
        sqs = served.client("sqs")
        url = sqs.get_queue_url(QueueName="OrdersQueue")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="no order")
        sqs.close()
        served.wait_for(r"OrdersFunction .*sqs: 1 record")


def test_asynchronous_events_are_shown_with_their_retries_and_their_dead_letter(tmp_path: Path) -> None:
    project(
        tmp_path,
        """
        [functions.mail]
        handler = "app.handler"
        code = "code"
        dead_letter_queue = "mail-lost"
        retries = 1

        [functions.readings]
        handler = "app.readings"
        code = "code"
        [functions.readings.kinesis]
        stream = "sensors"
        batch_size = 5

        [functions.changes]
        handler = "app.changes"
        code = "code"
        [functions.changes.dynamodb]
        table = "things"
        """,
        app="""
            import base64

            def handler(event, context):
                raise ValueError("no mail server\\x1b[2J")

            def readings(event, context):
                print("read", *(base64.b64decode(each["kinesis"]["data"]).decode() for each in event["Records"]))

            def changes(event, context):
                print("changed", *(each["dynamodb"]["Keys"]["id"]["S"] for each in event["Records"]))
        """,
    )
    with Served("--speed", "200", folder=tmp_path) as served:
        served.invoke("mail", InvocationType="Event")
        served.wait_for(r"mail +error \d+ ms, cold start \d+ ms  ValueError: no mail server\\x1b\[2J")
        served.wait_for(r"mail +retry: failed once, again in 60 s")
        served.wait_for(r"mail +dead letter: event given up after 2 times: RetriesExhausted")
        served.wait_for(r"mail +dead letter: sent to arn:aws:sqs:us-east-1:\d+:mail-lost")

        kinesis, tables = served.client("kinesis"), served.client("dynamodb")
        kinesis.put_record(StreamName="sensors", Data=b"21.5", PartitionKey="a")
        tables.put_item(TableName="things", Item={"id": {"S": "a"}})
        served.wait_for(r"readings +\| read 21.5")
        served.wait_for(r"changes +\| changed a")
        kinesis.close()
        tables.close()


def test_buckets_topics_rules_and_schedules_of_a_template_invoke_its_functions_by_their_alias(tmp_path: Path) -> None:
    write(
        tmp_path / "template.yaml",
        """
        Globals: {Function: {Runtime: python3.13, CodeUri: code, Handler: app.handler, Timeout: 10}}
        Resources:
          Any:
            Type: AWS::Serverless::Function
            Properties:
              AutoPublishAlias: live
              Events:
                Upload: {Type: S3, Properties: {Bucket: !Ref Files, Events: "s3:ObjectCreated:*"}}
                News: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {kind: [a]}}}
                Bus: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}
                Rate: {Type: Schedule, Properties: {Schedule: rate(1 minute), Input: '{"by": "rule"}'}}
                Cron:
                  Type: ScheduleV2
                  Properties:
                    ScheduleExpression: cron(* * * * ? *)
                    ScheduleExpressionTimezone: Europe/Vienna
                    Input: '{"by": "scheduler"}'
                Queue: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}
          Jobs: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 300}}
          Files: {Type: AWS::S3::Bucket}
          Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
        """,
    )
    write(
        tmp_path / "code" / "app.py",
        """
        def handler(event, context):
            name = context.invoked_function_arn.partition(":function:")[2]
            first = event.get("Records", [{}])[0]
            if "s3" in first:
                print(name, "file", first["s3"]["object"]["key"])
            elif "Sns" in first:
                print(name, "news", first["Sns"]["Message"])
            elif "body" in first:
                print(name, "job", first["body"])
            else:
                print(name, event.get("by") or event["detail-type"])
        """,
    )
    with Served("--speed", "60", folder=tmp_path) as served:
        served.wait_for(r"s3://files s3:ObjectCreated:\* → Any:live")
        clients = {name: served.client(name) for name in ("s3", "sns", "events", "sqs")}
        clients["s3"].put_object(Bucket="files", Key="a b.txt", Body=b"x")
        topic = clients["sns"].list_topics()["Topics"][0]["TopicArn"]
        for kind in ("b", "a"):
            attributes = {"kind": {"DataType": "String", "StringValue": kind}}
            clients["sns"].publish(TopicArn=topic, Message=f"of kind {kind}", MessageAttributes=attributes)
        clients["events"].put_events(Entries=[{"Source": "shop", "DetailType": "Order Placed", "Detail": "{}"}])
        clients["sqs"].send_message(
            QueueUrl=clients["sqs"].get_queue_url(QueueName="Jobs")["QueueUrl"], MessageBody="1"
        )
        for told in ("file a\\+b.txt", "news of kind a", "Order Placed", "rule", "scheduler", "job 1"):
            served.wait_for(rf"Any +\| Any:live {told}")
        assert "of kind b" not in served.text
        for client in clients.values():
            client.close()


def test_a_changed_file_is_what_the_next_request_runs_and_a_broken_one_is_shown(answering: Path) -> None:
    with Served("--no-aws", folder=answering) as served:
        url, code = served.url("URL of web"), answering / "code" / "app.py"
        assert httpx.get(url, timeout=30).text == "first"

        at = served.now
        write(code, ANSWERING.replace("first", "second"))
        served.wait_for(r"reload: web \(changed: .*app\.py", after=at)
        assert httpx.get(url, timeout=30).text == "second"

        at = served.now
        write(code, "import nothing_of_this_name")
        served.wait_for(r"reload: web", after=at)
        assert httpx.get(url, timeout=30).status_code == 502
        served.wait_for(r"Runtime.ImportModuleError: .*nothing_of_this_name", after=at)
        served.wait_for(r"URL of web: GET /: .*the function failed", after=at)

        at = served.now
        write(code, ANSWERING.replace("first", "third"))
        served.wait_for(r"reload: web", after=at)
        assert httpx.get(url, timeout=30).text == "third"


def test_a_handler_that_is_not_there_is_told_of_at_the_start_and_the_others_are_served(tmp_path: Path) -> None:
    toml = """
    [functions.web]
    handler = "app.handler"
    code = "code"
    url = true

    [functions.lost]
    handler = "app.handlr"
    code = "code"
    """
    project(tmp_path, toml, app=ANSWERING)
    with Served("--no-aws", folder=tmp_path) as served:
        ready = served.lines.index(served.wait_for("^ready").string)
        told = [line.partition(" ")[2] for line in served.lines[:ready] if "there is no handler" in line]
        missing = "[functions.lost] of handlerkit.toml: there is no handler app.handlr: did you mean app.handler?"
        assert told == [missing]
        assert httpx.get(served.url("URL of web"), timeout=30).text == "first"


def test_a_folder_that_a_build_makes_anew_is_seen(answering: Path) -> None:
    with Served("--no-aws", folder=answering) as served:
        assert httpx.get(served.url("URL of web"), timeout=30).text == "first"
        for text in ("second", "third"):
            at = served.now
            write(answering / "build" / "app.py", ANSWERING.replace("first", text))
            shutil.rmtree(answering / "code")
            (answering / "build").rename(answering / "code")
            served.wait_for(r"reload: web \(changed: .*code", after=at)
            assert httpx.get(served.url("URL of web"), timeout=30).text == text


def test_what_runs_during_a_reload_runs_to_its_end(obeying: Path) -> None:
    with Served("--no-aws", folder=obeying) as served:
        slow = Call(served.url("URL of web"))
        wait_for_file(obeying / "runs")
        write(obeying / "code" / "app.py", ANSWERING)
        served.wait_for(r"reload: web")
        assert httpx.get(served.url("URL of web"), timeout=30).text == "first"
        (obeying / "go").touch()
        answer = slow.result()
        assert isinstance(answer, httpx.Response)
        assert answer.text == "old code"


def test_a_changed_project_is_applied_and_a_wrong_one_is_refused_while_the_old_one_goes_on(answering: Path) -> None:
    file = answering / "handlerkit.toml"
    before = file.read_text()
    with Served("--no-aws", folder=answering) as served:
        url = served.url("URL of web")
        at = served.now
        write(file, before + '[functions.other]\nhandler = "app.handler"\ncode = "code"\nurl = true\ntimeout = 3\n')
        refused = served.wait_for(r"handlerkit.toml is not applied, what ran before goes on: (.*)", after=at)
        assert "[functions.other]" in refused[1]
        assert "did you mean timeout_s?" in refused[1]
        assert httpx.get(url, timeout=30).text == "first"

        at = served.now
        write(file, before + '[functions.other]\nhandler = "app.handler"\ncode = "code"\nurl = true\ntimeout_s = 3\n')
        served.wait_for(r"handlerkit.toml is applied", after=at)
        assert httpx.get(served.url("URL of other"), timeout=30).text == "first"
        assert served.url("URL of web") == url
        assert httpx.get(url, timeout=30).text == "first"

        at = served.now
        write(file, before.replace("web", "site"))
        served.wait_for(r"handlerkit.toml is applied", after=at)
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, timeout=30)
        assert httpx.get(served.url("URL of site"), timeout=30).text == "first"


def test_sources_change_with_a_project_and_a_refused_mapping_leaves_the_former_one(tmp_path: Path) -> None:
    toml = """
        [functions.worker]
        handler = "app.handler"
        code = "code"
        [functions.worker.sqs]
        queue = "{queue}"
        batch_size = {size}
    """
    app = 'def handler(event, context):\n    print("got", *sorted(each["body"] for each in event["Records"]))\n'
    project(tmp_path, toml.format(queue="one", size=10), app=app)
    with Served(folder=tmp_path) as served:
        at = served.now
        write(tmp_path / "handlerkit.toml", toml.format(queue="one", size=100_000))
        served.wait_for(r"not applied, .*\[functions.worker\].*sqs: .*less than or equal to 10000", after=at)
        sqs = served.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="one")["QueueUrl"], MessageBody="a")
        served.wait_for(r"worker \| got a")

        at = served.now
        write(tmp_path / "handlerkit.toml", toml.format(queue="two", size=5))
        served.wait_for(r"queue one is in the project no more", after=at)
        served.wait_for(r"is applied", after=at)
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="two")["QueueUrl"], MessageBody="b")
        served.wait_for(r"worker \| got b")
        sqs.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_lets_what_runs_come_to_its_end(obeying: Path, number: int) -> None:
    with Served("--no-aws", folder=obeying) as served:
        slow = Call(served.url("URL of web"))
        wait_for_file(obeying / "runs")
        served.send(number)
        served.wait_for("stopping: waiting for 1 invocation")
        (obeying / "go").touch()
        answer = slow.result()
        assert isinstance(answer, httpx.Response)
        assert answer.text == "old code"
        assert served.end() == 0


def test_the_second_signal_cuts_what_runs(obeying: Path) -> None:
    with Served("--no-aws", folder=obeying) as served:
        slow = Call(served.url("URL of web"))
        pid = int(wait_for_file(obeying / "runs"))
        served.send()
        served.wait_for("stopping: waiting for 1 invocation")
        served.send()
        assert served.end() == 1
        assert "what runs is cut" in served.text
        assert not isinstance(slow.result(), httpx.Response) or slow.result().status_code >= 500  # type: ignore[union-attr]
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_ports_are_free_again_and_may_be_chosen(answering: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve("--no-aws", "--port", str(port), folder=answering)
        assert done.returncode == 2
        assert done.stderr == (
            f"handlerkit: port {port} for the invoke endpoint cannot be used (Address already in use): "
            "choose another one by --port\n"
        )
        done = serve("--port", str(port - 1), folder=answering)
        assert done.returncode == 2
        assert f"port {port} for AWS cannot be used" in done.stderr
    with Served("--no-aws", "--port", str(port), folder=answering) as served:
        assert served.invoke_url == f"http://127.0.0.1:{port}"
        assert served.url("URL of web") == f"http://127.0.0.1:{port + 2}"
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_another_aws_is_used_where_one_is_given(tmp_path: Path, embedded: EmbeddedAws) -> None:
    embedded.follow(RealClock())
    embedded.reset()
    project(
        tmp_path,
        """
        [functions.worker]
        handler = "app.handler"
        code = "code"
        schedule = "rate(1 minute)"
        [functions.worker.sqs]
        queue = "jobs"
        """,
        app='def handler(event, context):\n    print("got", event["Records"][0]["body"])\n',
    )
    with Served("--endpoint-url", embedded.endpoint_url, folder=tmp_path) as served:
        assert "rules and schedules invoke functions only from the AWS of this process" in served.text
        sqs = embedded.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], MessageBody="job 1")
        served.wait_for(r"worker +\| got job 1")


def test_buckets_topics_rules_and_schedules_invoke_what_is_served(tmp_path: Path) -> None:
    project(
        tmp_path,
        """
        [functions.worker]
        handler = "app.handler"
        code = "code"
        schedule = "rate(1 minute)"
        [functions.worker.s3]
        bucket = "uploads"
        suffix = ".csv"
        [functions.worker.sns]
        topic = "news"
        [functions.worker.eventbridge]
        pattern = { source = ["shop"] }
        [topics.news]
        [buckets.uploads]
        """,
        app="""
            def handler(event, context):
                for record in event.get("Records", [event]):
                    print("got", record.get("eventName") or record.get("EventSource") or record["detail-type"])
            """,
    )
    with Served("--speed", "60", folder=tmp_path) as served, contextlib.ExitStack() as stack:
        s3, sns, events = (
            stack.enter_context(contextlib.closing(served.client(name))) for name in ("s3", "sns", "events")
        )
        s3.put_object(Bucket="uploads", Key="a.csv", Body=b"1")
        served.wait_for(r"worker +\| got ObjectCreated:Put")
        sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:news", Message="x")
        served.wait_for(r"worker +\| got aws:sns")
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": "{}"}])
        served.wait_for(r"worker +\| got Order")
        served.wait_for(r"worker +\| got Scheduled Event")


def test_a_terminal_has_colours_and_plain_has_none(answering: Path) -> None:
    for arguments, coloured in (([], True), (["--plain"], False)):
        main, side = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", "--no-aws", "--no-reload", *arguments],
            cwd=answering, stdin=subprocess.DEVNULL, stdout=side, stderr=side, env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.close(side)
        seen = b"".join(until_ready(main))
        process.send_signal(signal.SIGINT)
        seen += b"".join(until_ready(main))
        assert process.wait(45) == 0
        os.close(main)
        assert b"stopped" in seen
        assert (b"\x1b[" in seen) is coloured


def until_ready(terminal: int) -> Iterator[bytes]:
    """What a terminal shows up to the line `ready`, or to the end."""
    seen = b""
    while b"ready" not in seen:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux tells so that nobody writes any more
            return
        if not data:
            return
        seen += data
        yield data


def serve(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """One that is expected to end by itself."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_reader_that_goes_away_ends_it(answering: Path) -> None:
    read, write_end = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--no-aws", "--no-reload"],
        cwd=answering, stdin=subprocess.DEVNULL, stdout=write_end, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    os.close(read)
    assert process.wait(45) == 0


@pytest.mark.parametrize(
    ("module", "extra"),
    [("moto", "handlerkit[emulator]"), ("watchfiles", "handlerkit[emulator]"), ("yaml", "handlerkit[emulator]")],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, module: str, extra: str) -> None:
    write(tmp_path / "code" / "app.py", ANSWERING)
    write(
        tmp_path / "template.yaml",
        """
        Resources:
          Web:
            Type: AWS::Serverless::Function
            Properties: {Handler: app.handler, CodeUri: code, Runtime: python3.13}
        """,
    )
    program = f"import sys; sys.modules[{module!r}] = None; from lambda_emulator.cli import main; main()"
    aws = [] if module == "moto" else ["--no-aws"]
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--port", "0", *aws],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{module} is not installed" in done.stderr
    assert extra in done.stderr
    assert done.stderr.count("\n") == 1
    assert processes_that_know(tmp_path) == []


def test_without_a_project_it_says_what_to_write(tmp_path: Path) -> None:
    done = serve(folder=tmp_path)
    assert done.returncode == 2
    assert "write a handlerkit.toml, or name a template by --template FILE" in done.stderr
    assert json.dumps(done.stdout) == '""'


def test_its_help_names_the_section_of_pyproject_toml() -> None:
    program = "from lambda_emulator.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "serve", "--help"], capture_output=True, text=True)
    assert "pyproject.toml's [tool.handlerkit] of this folder" in done.stdout
    assert done.stdout.count("[tool.handlerkit]") == 2
