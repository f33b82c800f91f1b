"""What is said to somebody who named a handler that is not there."""

from pathlib import Path

import pytest

from lambda_emulator.handler_hints import hint


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
