"""All sample events: detected as the index says, parsed, read to the last field, nothing lost."""

import copy
import json
import pickle

import pytest

from handlerkit import event_handler
from handlerkit.events import detect, parse
from handlerkit.events.view import View
from tests.handlerkit.samples import SAMPLES, Sample, read_all, view_for

WITH_VIEW = [sample for sample in SAMPLES if view_for(sample) is not None]


def view_of(sample: Sample) -> type[View]:
    found = view_for(sample)
    assert found is not None
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_every_sample_is_detected_as_the_kind_in_the_index(sample: Sample) -> None:
    assert detect(sample.body) == sample.kind
    assert detect(sample.parsed()) == sample.kind


@pytest.mark.parametrize("sample", WITH_VIEW, ids=repr)
def test_every_sample_parses_and_each_field_of_it_can_be_read(sample: Sample) -> None:
    assert read_all(parse(view_of(sample), sample.body)) >= 2


@pytest.mark.parametrize("sample", WITH_VIEW, ids=repr)
def test_nothing_of_a_sample_is_lost_or_changed(sample: Sample) -> None:
    raw = sample.parsed()
    view = parse(view_of(sample), raw)
    read_all(view)
    assert view.raw is raw
    assert raw == sample.parsed()


@pytest.mark.parametrize("sample", WITH_VIEW, ids=repr)
def test_a_view_of_a_sample_survives_copying_and_pickling(sample: Sample) -> None:
    view = parse(view_of(sample), sample.body)
    assert copy.copy(view) == view
    assert copy.deepcopy(view) == view
    assert copy.deepcopy(view).raw is not view.raw
    assert pickle.loads(pickle.dumps(view)) == view


@pytest.mark.parametrize("sample", WITH_VIEW, ids=repr)
def test_both_ways_into_a_handler_give_the_same_for_every_sample(sample: Sample) -> None:
    @event_handler(event=view_of(sample), check_answer=False)
    def handler(event: View) -> View:
        read_all(event)
        return event

    assert json.loads(handler.__lambda_raw__(sample.body, None)) == handler(sample.parsed()) == sample.parsed()


def test_the_first_sources_cover_their_samples() -> None:
    assert len(WITH_VIEW) >= 77
