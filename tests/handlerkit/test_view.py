"""Views: thin, lenient, exact; what a source module can rely on."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest

from handlerkit.events import (
    EventFieldError,
    EventValidationError,
    S3Event,
    SnsNotification,
    SqsEvent,
    SqsRecord,
    View,
    parse,
)
from handlerkit.events.fields import (
    base64_bytes,
    boolean,
    header_map,
    instant,
    integer,
    items,
    json_text,
    mapping,
    maybe_boolean,
    maybe_integer,
    maybe_number,
    maybe_text,
    number,
    text,
    text_map,
    texts,
    value,
)
from handlerkit.events.nested import maybe_view, view, view_lists, view_map, views
from handlerkit.events.view import settled_class


class Part(View):
    """A nested object."""

    name = text("name")


class Whole(View):
    """One of everything."""

    a_text = text("Text", "TEXT")
    a_maybe_text = maybe_text("MaybeText")
    a_integer = integer("Integer")
    a_maybe_integer = maybe_integer("MaybeInteger")
    a_number = number("Number")
    a_maybe_number = maybe_number("MaybeNumber")
    a_boolean = boolean("Boolean")
    a_maybe_boolean = maybe_boolean("MaybeBoolean")
    a_instant = instant("Instant")
    data = base64_bytes("Data")
    any = value("Any")
    json = json_text("Json")
    a_mapping = mapping("Mapping")
    a_text_map = text_map("TextMap")
    a_texts = texts("Texts")
    a_items = items("Items")
    part = view("Part", Part)
    maybe_part = maybe_view("MaybePart", Part)
    parts = views("Parts", Part)
    part_map = view_map("PartMap", lambda: Part)
    part_lists = view_lists("PartLists", Part)
    headers = header_map()
    deep = text("deep", inside="Deep")
    token = text("Token", secret=True)


class Order(pydantic.BaseModel):
    """A payload."""

    order_id: str
    quantity: int


EMPTY: dict[str, Any] = {
    "a_text": "",
    "a_maybe_text": None,
    "a_integer": 0,
    "a_maybe_integer": None,
    "a_number": 0.0,
    "a_maybe_number": None,
    "a_boolean": False,
    "a_maybe_boolean": None,
    "a_instant": None,
    "data": b"",
    "any": None,
    "json": None,
    "a_mapping": {},
    "a_text_map": {},
    "a_texts": [],
    "a_items": [],
    "part": Part({}),
    "maybe_part": None,
    "parts": (),
    "part_map": {},
    "part_lists": {},
    "headers": {},
    "deep": "",
    "token": "",
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("is_null", [False, True])
def test_an_absent_field_and_a_null_one_read_the_same(name: str, is_null: bool) -> None:
    raw = {field.wire: None for field in Whole._fields.values()} if is_null else {}
    assert getattr(Whole(raw), name) == EMPTY[name]


def test_what_stands_for_an_absent_container_belongs_to_the_reader_alone() -> None:
    whole = Whole({})
    whole.a_mapping["a"] = 1
    whole.a_texts.append("b")
    assert (whole.a_mapping, whole.a_texts, Whole({}).a_mapping) == ({}, [], {})


@pytest.mark.parametrize(
    ("name", "wire", "read"),
    [
        ("a_text", 2, "2"),
        ("a_text", 2.0, "2.0"),
        ("a_text", True, "true"),
        ("a_integer", "60", 60),
        ("a_integer", "60.0", 60),
        ("a_integer", 60.0, 60),
        ("a_integer", "", 0),
        ("a_integer", 10**30, 10**30),
        ("a_maybe_integer", "", None),
        ("a_maybe_integer", " 7 ", 7),
        ("a_number", "0.5", 0.5),
        ("a_number", 3, 3.0),
        ("a_number", "", 0.0),
        ("a_maybe_number", "", None),
        ("a_boolean", "true", True),
        ("a_boolean", "False", False),
        ("a_boolean", 1, True),
        ("a_boolean", "", False),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("json", {"a": 1}, {"a": 1}),
        ("json", " ", None),
        ("a_texts", "one", ["one"]),
        ("a_texts", ["one", None, 2], ["one", "2"]),
        ("a_text_map", {"a": "b", "c": None, "d": True}, {"a": "b", "c": "", "d": "true"}),
        ("data", "aGk=", b"hi"),
        ("data", "aGk", b"hi"),
        ("data", "-_8=", b"\xfb\xff"),
        ("parts", [{"name": "x"}], (Part({"name": "x"}),)),
        ("part_map", {"k": {"name": "x"}, "n": None}, {"k": Part({"name": "x"})}),
        ("part_lists", {"k": [{"name": "x"}], "n": None}, {"k": (Part({"name": "x"}),), "n": ()}),
    ],
)
def test_values_that_changed_their_shape_are_read_leniently(name: str, wire: Any, read: Any) -> None:
    found = getattr(Whole({Whole._fields[name].wire: wire}), name)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("name", "wire", "reason"),
    [
        ("a_text", {}, "not text"),
        ("a_text", [1], "not text"),
        ("a_integer", "many", "not a number"),
        ("a_integer", 1.5, "not a whole number"),
        ("a_integer", True, "not a whole number"),
        ("a_integer", "9" * 500, "not a whole number"),
        ("a_integer", "nan", "not a whole number"),
        ("a_number", [], "not a number"),
        ("a_number", 10**400, "a number too large"),
        ("a_boolean", "perhaps", "not a truth value"),
        ("a_boolean", {}, "not a truth value"),
        ("a_instant", {}, "not a point in time"),
        ("a_instant", True, "not a point in time"),
        ("data", "%%%", "not base64"),
        ("data", {}, "not text"),
        ("json", "{", "not JSON: Expecting property name enclosed in double quotes at character 1"),
        ("a_mapping", [], "not an object"),
        ("a_text_map", {"a": {}}, "not text"),
        ("a_texts", {}, "not text"),
        ("a_items", {}, "not an array"),
        ("part", "x", "not an object"),
        ("parts", {}, "not an array"),
        ("parts", [{}, 5], "item 1 is not an object"),
        ("part_map", [], "not an object"),
        ("part_map", {"k": 5}, "'k' is not an object"),
        ("part_lists", [], "not an object"),
        ("part_lists", {"k": {}}, "'k' is not an array"),
        ("part_lists", {"k": [{}, 5]}, "item 1 of 'k' is not an object"),
        ("headers", [], "not a map of headers"),
    ],
)
def test_a_hopeless_value_raises_when_it_is_read_and_names_the_field(name: str, wire: Any, reason: str) -> None:
    whole = Whole({Whole._fields[name].wire: wire})
    with pytest.raises(EventFieldError) as caught:
        getattr(whole, name)
    assert (caught.value.view, caught.value.field, caught.value.reason) == ("Whole", name, reason)
    assert caught.value.wire == Whole._fields[name].wire


def test_an_error_shows_a_little_of_the_value_and_survives_pickling() -> None:
    with pytest.raises(EventFieldError) as caught:
        _ = Whole({"Integer": "x" * 10_000}).a_integer
    assert len(str(caught.value)) < 250
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_nested_key_is_read_inside_its_object_or_from_a_flattened_record() -> None:
    assert Whole({"Deep": {"deep": "a"}}).deep == "a"
    assert Whole({"deep": "a"}).deep == "a"
    with pytest.raises(EventFieldError, match="'Deep' is not an object"):
        _ = Whole({"Deep": "flat"}).deep


def test_other_spellings_of_a_key_are_tried_in_order() -> None:
    assert Whole({"TEXT": "b"}).a_text == "b"
    assert Whole({"TEXT": "b", "Text": "a"}).a_text == "a"


def test_headers_are_found_in_any_case_and_keep_theirs() -> None:
    headers = Whole({"headers": {"X-Id": "7"}, "multiValueHeaders": {"Accept": ["a", "b"], "x-id": ["7"]}}).headers
    assert (headers["x-ID"], headers.get_all("accept"), headers["Accept"]) == ("7", ["a", "b"], "a,b")
    assert ("ACCEPT" in headers, headers.get("none"), list(headers)) == (True, None, ["Accept", "x-id"])


def test_what_is_costly_to_decode_is_decoded_once() -> None:
    whole = Whole({"Json": "[1]", "Parts": [{}], "Data": "aGk="})
    assert whole.json is whole.json
    assert whole.parts is whole.parts
    assert whole.data is whole.data


def test_a_view_cannot_be_written_to() -> None:
    with pytest.raises(AttributeError, match=r"Whole\.a_text cannot be set"):
        Whole({}).a_text = "x"  # type: ignore[assignment]


def test_a_repr_is_bounded_and_keeps_secrets() -> None:
    whole = Whole({"Text": "t" * 10_000, "Token": "hunter2", "Items": [1] * 1000, "Mapping": {"card": "4111"}})
    assert len(repr(whole)) < 400
    assert "hunter2" not in repr(whole)
    assert "4111" not in repr(whole)
    assert repr(Whole({"Integer": 5})) == "Whole(a_integer=5)"
    with pytest.raises(EventFieldError) as caught:
        _ = Whole({"Token": {"hunter2": 1}}).token
    assert "hunter2" not in str(caught.value)


def test_a_repr_goes_on_for_ever_neither_with_many_fields_nor_with_broken_ones() -> None:
    raw = {field.wire: "x" * 80 for field in Whole._fields.values()} | {"Deep": 5}
    assert len(repr(Whole(raw))) < 420
    assert repr(Whole({"Deep": 5})) == "Whole()"


def test_views_are_equal_by_content_and_kind() -> None:
    assert Part({"name": "a"}) == Part({"name": "a"})
    assert Part({"name": "a"}) != Part({"name": "b"})
    assert Part({}) != Whole({})
    assert Part({}) != {}
    assert SqsRecord[Order]({}) == SqsRecord({})
    with pytest.raises(TypeError):
        hash(Part({}))


def test_a_class_knows_its_payload_and_is_the_same_one_each_time() -> None:
    assert SqsRecord[Order] is SqsRecord[Order]
    assert SqsRecord[Order].__name__ == "SqsRecord[Order]"
    assert issubclass(SqsRecord[Order], SqsRecord)
    assert SqsRecord[Order]._arguments == (Order,)
    assert SqsRecord[int | str] is not SqsRecord[str | int]
    assert isinstance(SqsEvent[Order]({"Records": [{}]}).records[0], SqsRecord[Order])  # type: ignore[misc]


def test_a_class_that_nobody_uses_any_more_is_forgotten() -> None:
    import gc

    class Passing(pydantic.BaseModel):
        """A type that goes out of use."""

    before = len(SqsRecord._made or ())
    made = SqsRecord[Passing]
    assert len(SqsRecord._made) == before + 1
    del made, Passing
    gc.collect()
    assert len(SqsRecord._made) <= before


def read_with_its_event() -> Any:
    """A record as a typed event holds it: made with its payload."""
    return parse(
        SqsEvent[Order], {"Records": [{"messageId": "m", "body": '{"order_id": "a", "quantity": 1}'}]}
    ).records[0]


def test_a_record_that_came_with_its_payload_is_like_one_that_decodes_it() -> None:
    record, other = (
        read_with_its_event(),
        SqsRecord[Order]({"messageId": "m", "body": '{"order_id": "a", "quantity": 1}'}),
    )
    assert type(record) is not type(other)
    assert (type(record).__name__, type(record).__qualname__) == (type(other).__name__, type(other).__qualname__)
    assert isinstance(record, SqsRecord[Order])  # type: ignore[misc]
    assert record == other
    assert other == record
    assert repr(record) == repr(other)
    assert record.body == other.body == Order(order_id="a", quantity=1)
    assert record.message_id == "m"
    assert record.attributes is record.attributes


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_its_copies_decode_their_payload_anew(copied: Callable[[Any], Any]) -> None:
    record = read_with_its_event()
    assert copied(record) == record
    assert copied(record).body == record.body
    assert type(copied(record)) is SqsRecord[Order]


def test_its_payload_cannot_be_written_to_either() -> None:
    with pytest.raises(AttributeError):
        read_with_its_event().body = Order(order_id="a", quantity=2)


def test_a_class_of_ones_own_with_another_idea_of_the_payload_keeps_it() -> None:
    class Doubled(SqsRecord[Order]):
        @property
        def body(self) -> int:  # type: ignore[override]
            return 2

    class Named(SqsRecord[Order]):
        """With something more to it."""

        @property
        def number(self) -> int:
            return self.body.quantity

    class Counted(SqsRecord[Order]):
        def __init__(self, raw: dict[str, Any]) -> None:
            super().__init__({**raw, "counted": True})

    raw = {"messageId": "m", "body": '{"order_id": "a", "quantity": 1}'}
    assert parse(Doubled, raw).body == 2
    assert settled_class(Counted, Counted._eager[0]) is None
    settled = settled_class(Named, Named._eager[0])
    assert settled is settled_class(Named, Named._eager[0])
    assert settled is not None
    assert issubclass(settled, Named)
    assert parse(Named, raw).number == 1


@pytest.mark.parametrize("wrong", [(int, str), "Order"])
def test_wrong_payload_types_are_refused_where_they_are_named(wrong: Any) -> None:
    with pytest.raises(TypeError):
        SqsRecord.__class_getitem__(wrong)


def test_a_view_that_takes_no_payload_says_so() -> None:
    with pytest.raises(TypeError, match="S3Event takes no payload types, not 1"):
        S3Event.__class_getitem__(int)
    with pytest.raises(TypeError, match="takes no more"):
        SqsRecord[int].__class_getitem__(str)


def test_a_parameterised_view_survives_copying_and_pickling() -> None:
    record = SqsRecord[Order]({"body": '{"order_id": "a", "quantity": 1}'})
    for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert type(twin) is SqsRecord[Order]
        assert twin.body == Order(order_id="a", quantity=1)


def test_a_view_of_the_users_own_adds_fields() -> None:
    class Mine(SqsRecord[Order]):
        """With a field that AWS has not documented."""

        shard = text("shardHint")

    mine = Mine({"body": '{"order_id": "a", "quantity": 1}', "shardHint": "s"})
    assert (mine.body.quantity, mine.shard) == (1, "s")


def test_views_serve_inside_pydantic_models_and_adapters() -> None:
    class Envelope(pydantic.BaseModel):
        """A user's model around an event."""

        event: S3Event
        note: Annotated[SnsNotification[Order] | None, pydantic.Field(default=None)]

    raw = {"Records": [{"s3": {"object": {"key": "a+b"}}}]}
    envelope = Envelope.model_validate({"event": raw, "note": None})
    assert envelope.event.raw is raw
    assert envelope.event.records[0].key == "a b"
    assert Envelope.model_validate_json(envelope.model_dump_json()) == envelope
    assert Envelope(event=envelope.event, note=None).event is envelope.event
    assert envelope.model_dump() == {"event": raw, "note": None}
    assert Envelope.model_json_schema()["properties"]["event"]["type"] == "object"
    with pytest.raises(pydantic.ValidationError, match=r"message\.quantity"):
        Envelope.model_validate({"event": raw, "note": {"Message": '{"order_id": "a"}'}})


def test_a_view_of_one_kind_validates_from_a_view_of_the_same_event() -> None:
    adapter = pydantic.TypeAdapter(SqsRecord[Order])
    assert adapter.validate_python(SqsRecord({"body": '{"order_id": "a", "quantity": 2}'})).body.quantity == 2


def test_decimal_payloads_keep_their_digits() -> None:
    assert SqsRecord[Decimal]({"body": "1.10"}).body == Decimal("1.10")
    with pytest.raises(EventValidationError):
        _ = SqsRecord[Decimal]({"body": "ten"}).body
