"""The fault of which nothing is known but that it happened."""

import json

import pytest

from runtime import faults, reporting
from runtime.errors import Terminated
from runtime.invocation import Invocation


def undescribed(failure: BaseException, request_id: str = "id-1") -> reporting.Undescribed:
    """What is reported when describing an error has failed so."""
    return reporting.Undescribed(failure, Invocation({"lambda-runtime-aws-request-id": request_id}, b""))


def test_its_document_and_record_are_json_whatever_the_request_id() -> None:
    fault = undescribed(MemoryError(), 'a"b\\c\u00fcd')
    document = json.loads(fault.document)
    record = json.loads(fault.json_record("now"))
    for values in (document, record):
        assert values["requestId"] == "abcd"
        assert values["errorType"] == "Function.Unknown"
        assert values["errorMessage"].endswith("(MemoryError)")
        assert values["stackTrace"] == []
    assert (record["timestamp"], record["level"]) == ("now", "ERROR")
    assert fault.text_record("now") == f"[ERROR]\tnow\tabcd\t{document['errorMessage']}\n"


@pytest.mark.parametrize("name", ['a"b', "with space", "Fehl\u00e4r", ""])
def test_the_name_of_a_class_is_told_only_where_it_is_plain_text(name: str) -> None:
    fault = undescribed(type(name, (Exception,), {})())
    assert json.loads(fault.document)["errorMessage"].endswith("(unknown)")


def test_without_an_invocation_the_request_id_is_empty() -> None:
    assert json.loads(reporting.Undescribed(ValueError(), None).document)["requestId"] == ""


def test_the_end_of_the_process_is_not_an_error_that_could_not_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    def terminate(*_arguments: object) -> None:
        raise Terminated

    monkeypatch.setattr(faults, "of_init", terminate)
    monkeypatch.setattr(faults, "of_invocation", terminate)
    with pytest.raises(Terminated):
        reporting.init_fault_of(ValueError())
    invocation = Invocation({"lambda-runtime-aws-request-id": "id-1"}, b"")
    with pytest.raises(Terminated):
        reporting.fault_of(ValueError(), invocation)
