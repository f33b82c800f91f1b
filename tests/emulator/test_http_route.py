"""Which route takes a request."""

import pytest

from lambda_emulator import HttpRoute, InvalidConfiguration
from lambda_emulator.http_route import find_route


def route(name: str, **fields: object) -> HttpRoute:
    return HttpRoute(function_name=name, **fields)  # type: ignore[arg-type]


TABLE = [
    route("everything"),
    route("files", path="/files/{proxy+}"),
    route("order", path="/orders/{id}"),
    route("new", path="/orders/new"),
    route("posted", path="/orders/{id}", method="POST"),
]


@pytest.mark.parametrize(
    ("method", "path", "expected", "captures"),
    [
        ("GET", "/orders/new", "new", {}),
        ("GET", "/orders/7%2F8", "order", {"id": "7%2F8"}),
        ("POST", "/orders/7", "posted", {"id": "7"}),
        ("GET", "/files/a/../b", "files", {"proxy": "a/../b"}),
        ("GET", "/orders/7/lines", "everything", {}),
        ("GET", "/", "everything", {}),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, expected: str, captures: dict[str, str]) -> None:
    matched = find_route(TABLE, method, path)
    assert matched is not None
    assert (matched.route.function_name, dict(matched.captures)) == (expected, captures)


def test_a_stage_in_the_path_is_taken_off_and_required() -> None:
    routes = [route("r", kind="rest", stage="dev", stage_in_path=True, path="/a")]
    matched = find_route(routes, "GET", "/dev/a")
    assert matched is not None
    assert matched.path == "/a"
    assert find_route(routes, "GET", "/a") is None
    assert find_route(routes, "GET", "/develop/a") is None
    assert find_route([route("r", kind="rest", stage="dev", stage_in_path=True)], "GET", "/dev") is not None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "websocket"}, "kind is 'websocket'"),
        ({"kind": "alb", "streamed": True}, "only function_url and rest stream"),
        ({"method": "get"}, "in capitals"),
        ({"path": "orders"}, "begins with a slash"),
    ],
)
def test_a_route_that_no_front_has_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        route("f", **fields)
