"""TOML projects: what is guessed right, what may be said, what is refused with its place."""

import textwrap
from pathlib import Path

import pytest

from lambda_emulator.command_input import WrongInput
from lambda_emulator.project import Project, Resource, WrongProject, hole
from lambda_emulator.project_toml import read_toml_project
from lambda_emulator.serve_options import ServeOptions, find_project


def read(folder: Path, text: str, name: str = "handlerkit.toml") -> Project:
    """The project of a file's text."""
    (folder / name).write_text(textwrap.dedent(text))
    return read_toml_project(folder / name)


def resources(project: Project) -> dict[str, Resource]:
    """By logical name."""
    return {each.logical: each for each in project.resources}


def test_what_a_function_names_is_there(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [functions.orders]
        handler = "orders.handler"
        timeout_s = 20
        on_failure = "queues.lost"
        [functions.orders.sqs]
        queue = "orders"
        [functions.orders.kinesis]
        stream = "clicks"
        [functions.orders.dynamodb]
        table = "things"
        starting_position = "LATEST"
        [functions.orders.s3]
        bucket = "uploads"
        prefix = "in/"
        [functions.orders.sns]
        topic = "news"
        """,
    )
    made = resources(project)
    assert sorted(made) == [
        "buckets.uploads", "queues.lost", "queues.orders", "streams.clicks", "tables.things", "topics.news",
    ]  # fmt: skip
    # Six times the function's timeout: Lambda refuses a mapping below once.
    assert made["queues.orders"].request == {"Attributes": {"VisibilityTimeout": "120"}}
    assert made["tables.things"].request["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert [each.settings for each in project.polled] == [
        {},
        {"starting_position": "TRIM_HORIZON"},
        {"starting_position": "LATEST"},
    ]
    assert project.functions[0].event_invoke == {"on_failure": hole("queues.lost", "Arn")}
    assert project.functions[0].code == tmp_path


def test_queues_say_more_in_sections_of_their_own(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [functions.a]
        handler = "a.b"
        environment = { URL = "${queues.jobs.url}", N = 5, T = "${tables.t.stream_arn}" }
        sqs = { queue = "jobs" }
        dynamodb = { table = "t" }
        [queues.jobs]
        fifo = true
        visibility_timeout_s = 60
        dead_letter_queue = "failed"
        """,
    )
    made = resources(project)
    assert made["queues.jobs"].name == "jobs.fifo"
    assert made["queues.jobs"].request["Attributes"] == {
        "VisibilityTimeout": "60",
        "FifoQueue": "true",
        "RedrivePolicy": {"deadLetterTargetArn": hole("queues.failed.fifo", "Arn"), "maxReceiveCount": 3},
    }
    assert made["queues.failed.fifo"].request["Attributes"]["FifoQueue"] == "true"
    assert project.functions[0].environment == {
        "URL": hole("queues.jobs"),
        "N": "5",
        "T": hole("tables.t", "StreamArn"),
    }


def test_http_is_said_in_one_line(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [functions.a]
        handler = "a.b"
        url = "stream"
        http = ["GET /a/{id}", "/b"]
        rest = true
        [functions.b]
        handler = "a.b"
        http = "post /c"
        """,
    )
    fronts = {front.title: front.routes for front in project.fronts}
    assert fronts["URL of a"][0].streamed
    assert [(route.function_name, route.method, route.path) for route in fronts["http API"]] == [
        ("a", "GET", "/a/{id}"),
        ("a", "ANY", "/b"),
        ("b", "POST", "/c"),
    ]
    assert fronts["rest API"][0].path is None


def test_schedules_and_rules_become_links(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [functions.a]
        handler = "a.b"
        schedule = [
            "rate(5 minutes)",
            { expression = "cron(0 9 * * ? *)", timezone = "Europe/Vienna", input = { n = 1 } },
        ]
        [[functions.a.eventbridge]]
        pattern = { source = ["shop"] }
        [[functions.a.eventbridge]]
        pattern = { source = ["bank"] }
        bus = "money"
        """,
    )
    links = {each.name: each for each in project.links}
    assert links["a-schedule-1"].request["rule"]["ScheduleExpression"] == "rate(5 minutes)"
    assert links["a-schedule-2"].kind == "schedule"
    assert links["a-schedule-2"].request["Target"]["Input"] == {"n": 1}
    assert links["a-1"].request["rule"]["EventPattern"] == {"source": ["shop"]}
    assert links["a-2"].request["rule"]["EventBusName"] == hole("buses.money", "Name")


def test_a_pyproject_has_the_same_in_its_table(tmp_path: Path) -> None:
    project = read(tmp_path, '[tool.handlerkit.functions.a]\nhandler = "a.b"\n', "pyproject.toml")
    assert project.functions[0].name == "a"
    assert find_project(None, None, tmp_path) == tmp_path / "pyproject.toml"
    (tmp_path / "template.yaml").touch()
    with pytest.raises(WrongInput, match=r"there are template\.yaml and pyproject\.toml: say which one"):
        find_project(None, None, tmp_path)


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[functions", "handlerkit.toml is no TOML: "),
        ("", "handlerkit.toml has no functions: add [functions.NAME] with a handler"),
        ("[function.a]\nhandler = 'a.b'", "handlerkit.toml has no property function: did you mean functions?"),
        (
            "[functions.a]\nhandlr = 'a.b'",
            "[functions.a] of handlerkit.toml has no property handlr: did you mean handler?",
        ),
        ("[functions.a]\ncode = 'x'", "code 'x' is no folder"),
        ("[functions.a]\ntimeout_s = 3", "[functions.a] of handlerkit.toml needs a handler"),
        ("[functions.a]\nhandler = 'a.b'\ntimeout_s = '3 s'", "timeout_s has to be a whole number, not '3 s'"),
        ("[functions.a]\nhandler = 'a.b'\nurl = 'yes'", "url is 'yes': write true, or \"stream\""),
        ("[functions.a]\nhandler = 'a.b'\nhttp = ['orders']", "http 'orders' is no route: write such as"),
        ("[functions.a]\nhandler = 'a.b'\nsqs = 'jobs'", "sqs has to be a table, such as [functions.NAME.sqs]"),
        (
            "[functions.a]\nhandler = 'a.b'\nsqs = { queue = 'q', batchsize = 2 }",
            "no setting batchsize: did you mean batch_size?",
        ),
        ("[functions.a]\nhandler = 'a.b'\nenvironment = { A = '${queue.q.url}' }", "${queue.q.url} leads nowhere"),
        ("[functions.a]\nhandler = 'a.b'\nenvironment = { A = '${queues.q.uri}' }", "has no uri: did you mean url?"),
        ("[functions.a]\nhandler = 'a.b'\nenvironment = { A = '${functions.b.arn}' }", "leads nowhere: there are a"),
        (
            "[functions.a]\nhandler = 'a.b'\non_failure = 'lost'",
            "on_failure 'lost' is no destination: write such as queues.failed",
        ),
        (
            "[functions.a]\nhandler = 'a.b'\n[queues.q]\nmax_receive_count = 2",
            "[queues.q]: max_receive_count needs a dead_letter_queue",
        ),
        (
            "[functions.a]\nhandler = 'a.b'\n[queues.q]\ndead_letter_queue = 'q'",
            "dead_letter_queue is the queue itself",
        ),
        (
            "[functions.a]\nhandler = 'a.b'\n[queues.'q.fifo']\nfifo = false",
            "only the name of a FIFO queue ends in .fifo",
        ),
        ("[functions.a]\nhandler = 'a.b'\n[tables.t]\nkey = 'id:X'", "'id:X' is no key: write its name, or NAME:N"),
        (
            "[functions.a]\nhandler = 'a.b'\ndynamodb = { table = 't' }\n[tables.t]\nstream = false",
            "stream is false, but a function reads it",
        ),
        ("[functions.a]\nhandler = 'a.b'\neventbridge = { bus = 'default' }", "needs a pattern"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, toml: str, told: str) -> None:
    with pytest.raises(WrongProject) as refused:
        read(tmp_path, toml)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"endpoint_url": "http://127.0.0.1:1", "aws": False}, "--endpoint-url and --no-aws exclude each other"),
        ({"endpoint_url": "localhost:4566"}, "--endpoint-url localhost:4566 is no URL"),
        ({"port": 70_000}, "--port 70000 is not possible"),
        ({"speed": 0.0}, "--speed 0 is not possible"),
        ({"speed": float("nan")}, "--speed nan is not possible"),
        ({"parameters": {"A": "1"}}, "--parameter is for templates, and handlerkit.toml is none"),
    ],
)
def test_contradictory_options_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(WrongInput, match=told):
        ServeOptions(file=Path("handlerkit.toml"), **options)  # type: ignore[arg-type]


def test_a_file_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()
    with pytest.raises(WrongInput, match=r"--config takes a TOML file, and .* is none"):
        find_project(tmp_path / "template.yaml", None, tmp_path)
    with pytest.raises(WrongInput, match="--config and --template exclude each other"):
        find_project(tmp_path / "a.toml", tmp_path / "template.yaml", tmp_path)
    with pytest.raises(WrongInput, match="there is no file"):
        find_project(tmp_path / "a.toml", None, tmp_path)
