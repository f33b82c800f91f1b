"""Query strings, from text and from maps."""

from typing import Any

import pytest

from handlerkit.events import Query


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("q=x+y%2Bz&e=%C3%A9", [("q", "x y+z"), ("e", "é")]),
        ("flag&empty=&&=v&a=b=c", [("flag", ""), ("empty", ""), ("", "v"), ("a", "b=c")]),
        ("?a=1&?=2", [("a", "1"), ("?", "2")]),
        ("bad=%zz%", [("bad", "%zz%")]),
    ],
)
def test_a_query_string_is_read_as_browsers_write_it(text: str, pairs: list[tuple[str, str]]) -> None:
    query = Query.from_text(text)
    assert query.pairs() == pairs
    assert list(query) == list(dict(pairs))
    assert len(query) == len(dict(pairs))
    assert dict(query) == dict(pairs)


@pytest.mark.parametrize(
    ("single", "multiple", "pairs"),
    [
        (None, None, []),
        ({"a": "1"}, None, [("a", "1")]),
        ({"a": "2"}, {"a": ["1", "2"]}, [("a", "1"), ("a", "2")]),
        ({"a": "1"}, {"b": "2"}, [("a", "1"), ("b", "2")]),
        ({"a": None, "n": 1, "t": True}, {}, [("a", ""), ("n", "1"), ("t", "true")]),
        ({"a": ["1", "2"]}, None, [("a", "1"), ("a", "2")]),
    ],
)
def test_the_two_maps_of_an_event_are_one_query(single: Any, multiple: Any, pairs: list[tuple[str, str]]) -> None:
    assert Query.from_maps(single, multiple).pairs() == pairs


def test_a_query_is_a_mapping_that_gives_the_last_value_and_does_not_show_any() -> None:
    query = Query.from_text("token=s3cr3t&token=t2&" + "&".join(f"k{n}=v" for n in range(9)))
    assert query["token"] == "t2"
    assert query.get_all("token") == ["s3cr3t", "t2"]
    assert query.get_all("other") == []
    assert query.get("other") is None
    assert "s3cr3t" not in repr(query)
    assert repr(query).endswith("…)")
    assert repr(Query()) == "Query()"
    with pytest.raises(KeyError):
        _ = query["other"]
