"""What is said to somebody who named a handler that is not there."""

from pathlib import Path

import pytest

from lambda_emulator.handler_hints import hint, is_missing
from lambda_emulator.serve_announcement import notes
from lambda_emulator.serve_options import ServeOptions, read_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function's folder with a module, and one in a folder."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "orders.py").write_text("async def place(event, context): ...\nLIMIT = 3\n")
    (tmp_path / "app.py").write_text("log = get_logger()\nhandler = asgi_handler(app)\n\n\ndef charge(e, c): ...\n")
    (tmp_path / "made.py").write_text("application = asgi_handler(app)\n")
    (tmp_path / "broken.py").write_text("def\n")
    return tmp_path


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("app:handler", "write app.handler"),
        ("app.py:charge", "write app.charge"),
        ("app.py", "app.py has charge"),
        ("app.chrage", "did you mean app.charge?"),
        ("app.hander", "did you mean app.handler?"),
        ("made.x", "made.py has application"),
        ("sub/orders.palce", "did you mean sub/orders.place?"),
        ("sub/order.place", "did you mean sub/orders.place?"),
        ("sub.order.place", "did you mean sub.orders.place?"),
        ("apps", "did you mean app.handler?"),
    ],
)
def test_the_nearest_handler_is_named_by_its_own_source(folder: Path, handler: str, said: str) -> None:
    assert hint(handler, folder) == said


def test_where_nothing_is_near_the_file_is_named_that_would_have_to_be_there(folder: Path) -> None:
    assert hint("nothing.handler", folder) == f"there is no nothing.py in {folder}"
    assert hint("far/away.handler", folder) == f"there is no far/away.py in {folder}"


def test_nothing_is_said_of_methods_and_of_what_cannot_be_read(folder: Path) -> None:
    assert hint("app.Orders.place", folder) == ""
    assert hint("broken.handler", folder) == ""


@pytest.mark.parametrize(
    "handler",
    [
        "app.charg",
        "app:handler",
        "app.py",
        "app",
        "apps.handler",
        "sub/order.place",
        "sub.orders.palce",
        "no/way.handler",
        "package.handlr.place",
        "sys.handler",
        "..handler",
    ],
)
def test_a_handler_that_cannot_be_loaded_is_missing(folder: Path, handler: str) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("class Orders: ...\n")
    assert is_missing(handler, folder)


@pytest.mark.parametrize(
    "handler",
    [
        "app.handler",
        "./app.charge",
        "sub/orders.place",
        "sub.orders.place",
        "app.Orders.place",
        "sub/orders.Orders.place",
        "package.anything",
        "package.Orders.place",
        "native.handler",
        "broken.handler",
        "handlerkit.handler",
    ],
)
def test_a_handler_that_is_there_or_of_which_only_an_import_tells_is_not_missing(folder: Path, handler: str) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("class Orders: ...\n")
    (folder / "native.cpython-311-x86_64-linux-gnu.so").touch()
    assert not is_missing(handler, folder)


@pytest.mark.parametrize(
    "text",
    [
        "from orders import *",
        "from orders import place as handler",
        "import handler.deep",
        "def __getattr__(name): ...",
        "globals()['handler'] = print",
        "if True:\n    handler = print",
        "try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler",
        "first, (second, handler) = made()",
        "def set_up():\n    global handler\n    handler = print",
    ],
)
def test_however_a_module_may_come_by_its_handler_it_is_not_missing(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.py").write_text(text)
    assert not is_missing("app.handler", tmp_path)


def test_a_module_of_the_functions_own_search_path_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "vendored").mkdir()
    (tmp_path / "vendored" / "shop_orders.py").touch()
    assert is_missing("shop_orders.handler", tmp_path)
    assert not is_missing("shop_orders.handler", tmp_path, [str(tmp_path / "vendored")])


@pytest.mark.parametrize(
    ("bootstrap", "told"),
    [("", ["Resources.F of template.yaml: there is no handler app.hander: did you mean app.handler?"]),
     ("#!/bin/sh\nexec ./orders", [])],
    ids=["ours", "their own"],
)  # fmt: skip
def test_what_a_handler_is_to_a_runtime_of_ones_own_is_not_judged(
    folder: Path, bootstrap: str, told: list[str]
) -> None:
    if bootstrap:
        (folder / "bootstrap").write_text(bootstrap)
    (folder / "template.yaml").write_text(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: ., Handler: app.hander, Runtime: provided.al2023}\n"
    )
    options = ServeOptions(file=folder / "template.yaml")
    assert [line.text for line in notes(read_project(options), options)] == told
