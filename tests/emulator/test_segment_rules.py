"""X-Ray's rules for documents, one violation at a time."""

from typing import Any

import pytest

from lambda_emulator.segment_rules import problems

VALID: dict[str, Any] = {
    "type": "subsegment",
    "id": "53995c3f42cd8ad8",
    "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
    "parent_id": "00f067aa0ba902b7",
    "name": "dynamodb.eu-central-1:orders/é",
    "start_time": 1.5,
    "end_time": 2.5,
    "namespace": "aws",
    "annotations": {"order_id": "A-17", "amount": 2.5, "paid": True},
    "metadata": {"default": {"anything": [None, {}]}},
    "error": True,
    "cause": {"working_directory": "/var/task", "exceptions": [{"id": "0" * 16, "stack": [{"path": "a", "line": 1}]}]},
    "http": {"request": {"method": "GET"}, "response": {"status": 404}},
    "aws": {"operation": "GetItem"},
    "sql": {"url": "db"},
    "links": [{"trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "53995c3f42cd8ad8"}],
    "subsegments": [{"id": "0" * 16, "name": "inner", "start_time": 1, "in_progress": True}],
}


def test_a_document_with_everything_is_valid() -> None:
    assert problems(VALID) == []
    assert problems({**VALID, "cause": "0" * 16}) == []


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("id", "53995C3F42CD8AD8", "id '53995C3F42CD8AD8'"),
        ("id", None, "no id"),
        ("trace_id", None, "no trace_id"),
        ("trace_id", "5759e988", "trace_id"),
        ("parent_id", None, "needs a parent_id"),
        ("parent_id", 7, "parent_id 7"),
        ("type", "segment", "type 'segment'"),
        ("name", "", "name ''"),
        ("name", None, "no name"),
        ("name", "n" * 201, "name"),
        ("name", "a<b", "name 'a<b'"),
        ("start_time", "1.5", "start_time '1.5'"),
        ("start_time", float("inf"), "start_time inf"),
        ("start_time", 3.0, "ends before it begins"),
        ("end_time", True, "end_time True"),
        ("end_time", None, "neither end_time nor in_progress"),
        ("in_progress", True, "in_progress with an end_time"),
        ("fault", "yes", "fault 'yes'"),
        ("namespace", "local", "namespace 'local'"),
        ("annotations", [], "annotations are no object"),
        ("annotations", {"a-b": 1}, "annotation key 'a-b'"),
        ("annotations", {"a": None}, "neither text nor number nor bool"),
        ("annotations", {"a": "x" * 1_001}, "more than 1000 characters"),
        ("annotations", {f"a{number}": 1 for number in range(51)}, "more than 50 annotations"),
        ("metadata", {"a": 1}, "object of objects"),
        ("metadata", {"AWS.a": {}}, "is AWS's"),
        ("cause", "gone", "cause 'gone'"),
        ("cause", 7, "neither an exception's id"),
        ("cause", {"exceptions": [{}]}, "without a valid id"),
        ("cause", {"exceptions": [{"id": "0" * 16, "message": 7}]}, "are text"),
        ("cause", {"exceptions": [{"id": "0" * 16, "cause": "x"}]}, "cause 'x'"),
        ("cause", {"exceptions": [{"id": "0" * 16, "stack": [{"line": "1"}]}]}, "stack frame"),
        ("http", [], "http is no object"),
        ("http", {"reply": {}}, "http.reply"),
        ("http", {"response": {"status": "200"}}, "http.response.status '200'"),
        ("links", [{"trace_id": "1"}], "link"),
        ("links", 7, "link 7"),
        ("aws", [], "aws is no object"),
        ("subsegments", [{"id": "x", "name": "inner", "start_time": 1, "end_time": 2}], "in 'inner': id 'x'"),
        ("metadata", {"a": {"b": "x" * 66_000}}, "larger than 65536 bytes"),
    ],
)
def test_every_violation_is_a_sentence(member: str, value: Any, said: str) -> None:
    broken = {**VALID, member: value}
    if value is None:
        del broken[member]
    (problem,) = problems(broken)
    assert said in problem


def test_what_is_no_object_is_no_document() -> None:
    assert problems([]) == ["no JSON object"]
