"""What importing costs, counted in modules: nobody pays for what is not used."""

import json
import subprocess
import sys

import pytest

SOURCES = ["sqs", "sns", "s3", "kinesis", "dynamodb", "eventbridge", "cloudwatch_logs"]
SOURCES += ["alb", "api_gateway", "appsync", "appsync_channels", "authorizers", "client_vpn", "cloudfront", "cognito"]
SOURCES += ["cloudwatch_widget", "cognito_sync", "function_url", "http_api", "iot", "vpc_lattice", "websocket"]
SOURCES += [
    "kafka",
    "amazon_mq",
    "documentdb",
    "firehose",
    "kinesis_analytics",
    "ses",
    "cloudwatch_alarm",
    "codecommit",
]
SOURCES += [
    "codepipeline",
    "codedeploy",
    "config_rule",
    "cloudformation",
    "alexa",
    "lex_v1",
    "lex_v2",
    "s3_batch",
    "bedrock_agent",
]
SOURCES += ["s3_object_lambda", "secretsmanager", "connect", "transfer", "lambda_destination", "workmail"]
SOURCES += ["eventbridge_account", "eventbridge_compute", "eventbridge_delivery"]
HEAVY = ["pydantic", "pydantic_core", "structlog", "boto3", "typing", "inspect", "asyncio", "dataclasses", "json"]


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `code`, without those it started with."""
    script = f"import sys; before = set(sys.modules)\n{code}\nimport json\nprint(json.dumps(sorted(loaded)))"
    script = script.replace("\nimport json", "\nloaded = set(sys.modules) - before\nimport json")
    # -S: the site's own hooks load modules of theirs.
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {path!r}\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_but_itself() -> None:
    assert loaded_by("import handlerkit") <= {"handlerkit", "__future__"}


def test_importing_the_events_loads_no_source() -> None:
    assert loaded_by("import handlerkit.events") <= {"handlerkit", "handlerkit.events", "__future__"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_loads_no_other_source_and_nothing_heavy(source: str) -> None:
    loaded = loaded_by(f"import handlerkit.events.{source}")
    others = {f"handlerkit.events.{other}" for other in SOURCES if other != source}
    assert not loaded & others
    assert not loaded & set(HEAVY)


def test_a_handler_without_models_never_loads_pydantic() -> None:
    code = """
from handlerkit import event_handler
from handlerkit.events import SqsEvent
@event_handler
def handler(event: SqsEvent) -> str:
    return event.records[0].body
assert handler.__lambda_raw__(b'{"Records": [{"body": "x", "eventSource": "aws:sqs"}]}', None) == b'"x"'
"""
    assert not loaded_by(code) & (set(HEAVY) - {"json"})


def test_a_handler_of_text_bodies_spelled_out_never_loads_pydantic() -> None:
    code = """
from handlerkit.events import SqsEvent, parse
assert parse(SqsEvent[str], b'{"Records": [{"body": "x"}]}').records[0].body == "x"
"""
    assert "pydantic" not in loaded_by(code)


def test_a_model_as_payload_does_not_load_pydantics_adapter() -> None:
    code = """
from pydantic import BaseModel
from handlerkit.events import SqsEvent, parse
class Order(BaseModel):
    n: int
assert parse(SqsEvent[Order], b'{"Records": [{"body": "{\\\\"n\\\\": 1}"}]}').records[0].body.n == 1
"""
    assert "pydantic.type_adapter" not in loaded_by(code)


@pytest.mark.parametrize("module", ["handlerkit", "handlerkit.events", "handlerkit.testing"])
def test_every_public_name_can_be_had_and_others_are_refused(module: str) -> None:
    package = __import__(module, fromlist=["__all__"])
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize(
    "module",
    ["handlerkit"]
    + [f"handlerkit.{name}" for name in ("answers", "batch", "callbacks", "events", "http", "idempotency", "logs")]
    + ["handlerkit.metrics", "handlerkit.testing", "handlerkit.tracing", "lambda_emulator", "runtime"],
)
def test_a_prompt_can_complete_the_names_that_are_not_loaded_yet(module: str) -> None:
    program = f"import {module} as package; print(sorted(set(package.__all__) - set(dir(package))))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_names_are_listed_where_they_are_defined() -> None:
    from importlib import import_module

    from handlerkit import events, testing

    for package in (events, testing):
        assert sorted(package._HOME) == sorted(package.__all__)
        assert set(package.__all__) <= set(dir(package))
        for name, home in package._HOME.items():
            assert name in import_module(f"{package.__name__}.{home}").__all__
