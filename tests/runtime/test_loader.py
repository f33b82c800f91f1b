"""Loading a handler: names, folders, and init errors as the managed runtime words them."""

import json

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform

IMPORTS_RUNTIME = "import runtime\ndef handler(event, context): return runtime.greet()\n"
IMPORTS_PROTOCOL = "from protocol import X\ndef handler(event, context): return X\n"
OK = "def handler(event, context): return 'ok'\n"


@pytest.mark.parametrize(
    ("handler", "files"),
    [
        ("app.handler", {"app.py": OK}),
        ("pkg/mod.handler", {"pkg/__init__.py": "", "pkg/mod.py": OK}),
        ("pkg.mod.handler", {"pkg/mod.py": OK}),
        ("./app.handler", {"app.py": OK}),
        ("my-module.handler", {"my-module.py": OK}),
        (
            "pkg.mod.Orders.handler",
            {
                "pkg/__init__.py": "",
                "pkg/mod.py": "class Orders:\n    @staticmethod\n    def handler(event, context): return 'ok'\n",
            },
        ),
        ("app.service.handler", {"app.py": "class S:\n    def handler(self, e, c): return 'ok'\nservice = S()\n"}),
        ("runtime.handler", {"runtime.py": OK}),
        ("runtime/app.handler", {"runtime/__init__.py": "", "runtime/app.py": OK}),
        ("app.handler", {"runtime.py": "def greet(): return 'ok'\n", "app.py": IMPORTS_RUNTIME}),
        ("wire.handler", {"wire.py": OK}),
        ("app.handler", {"protocol.py": "X = 'ok'\n", "app.py": IMPORTS_PROTOCOL}),
    ],
)
@pytest.mark.parametrize("entry", ["bootstrap", "module"])
def test_the_handler_is_found(serve: Serve, handler: str, files: dict[str, str], entry: str) -> None:
    outcome = serve("", b"{}", files=files, handler=handler, entry=entry)
    assert outcome.answers[0].body == b'"ok"', outcome


def test_errors_of_a_function_with_its_own_runtime_module_are_reported_too(serve: Serve) -> None:
    # The modules loaded late (faults, logs) must be found under the package's other name.
    code = "import logging, runtime\ndef handler(event, context):\n    logging.error('line')\n    runtime.fail()\n"
    outcome = serve(code, b"{}", files={"runtime.py": "def fail(): raise ValueError('theirs')\n"})
    assert json.loads(outcome.answers[0].body)["errorMessage"] == "theirs"
    assert "\tid-1\tline\n" in outcome.stdout


INIT_ERRORS = [
    ("app", {}, "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)"),
    ("sys.handler", {}, "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
    (
        "sys.flags.handler",
        {},
        "Runtime.BuiltInModuleConflict",
        "Cannot use built-in module sys.flags as a handler module",
    ),
    (
        "pkg.mod.handler",
        {"pkg/__init__.py": "class mod:\n    handler = print\n", "pkg/mod.py": "import not_there\n"},
        "Runtime.ImportModuleError",
        "Unable to import module 'pkg.mod': No module named 'not_there'",
    ),
    ("nope.handler", {}, "Runtime.ImportModuleError", "Unable to import module 'nope': No module named 'nope'"),
    (
        "pkg/nope.handler",
        {"pkg/__init__.py": ""},
        "Runtime.ImportModuleError",
        "Unable to import module 'pkg/nope': No module named 'pkg.nope'",
    ),
    (
        "app.handler",
        {"app.py": "import not_there\n"},
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'not_there'",
    ),
    (
        "app.handler",
        {"app.py": "from json import not_there\n"},
        "Runtime.ImportModuleError",
        "Unable to import module 'app': cannot import name 'not_there' from 'json'",
    ),
    ("app.handler", {"app.py": "def handler(:\n"}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
    ("app.handler", {"app.py": "x = 1\n"}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    (
        "app.handler",
        {"app.py": "handler = {}\n"},
        "Runtime.HandlerNotFound",
        "Handler 'handler' on module 'app' is not callable, it is of type dict",
    ),
    ("app.Class.handler", {"app.py": "x = 1\n"}, "Runtime.ImportModuleError", "Unable to import module 'app.Class'"),
    ("..handler", {}, "Runtime.ImportModuleError", "Unable to import module '.': "),
    ("app.handler", {"app.py": "1 / 0\n"}, "ZeroDivisionError", "division by zero"),
    ("app.handler", {"app.py": "import sys; sys.exit(2)\n"}, "SystemExit", "sys.exit(2)"),
    ("app.handler", {"app.py": "raise KeyboardInterrupt\n"}, "KeyboardInterrupt", ""),
]


@pytest.mark.parametrize(("handler", "files", "error_type", "message"), INIT_ERRORS)
def test_an_init_error_is_posted_logged_and_ends_the_process(
    start: Start, platform: Platform, handler: str, files: dict[str, str], error_type: str, message: str
) -> None:
    outcome = start(handler=handler, files=files).end()
    assert outcome.status == 1
    (answer,) = outcome.answers
    assert answer.path == "/2018-06-01/runtime/init/error"
    document = json.loads(answer.body)
    assert document["errorType"] == error_type
    assert message in document["errorMessage"]
    assert document["requestId"] == ""
    sent_type = answer.headers["lambda-runtime-function-error-type"]
    assert sent_type == error_type if "." in error_type else sent_type == f"Function.{error_type}"
    assert "lambda-runtime-invocation-id" not in answer.headers
    assert error_type in outcome.stdout
    assert not any(request.method == "GET" for request in platform.requests)


def test_an_import_error_shows_where_in_the_users_code_it_came_from(start: Start) -> None:
    files = {"app.py": "import first\n", "first.py": "def load():\n    import missing_dependency\nload()\n"}
    outcome = start(files=files).end()
    trace = json.loads(outcome.answers[0].body)["stackTrace"]
    assert ["first.py" in block or "app.py" in block for block in trace] == [True] * len(trace)
    assert "import missing_dependency" in trace[-1]


def test_a_syntax_error_shows_the_line(start: Start) -> None:
    outcome = start("def handler(event, context):\n    return (\n").end()
    (place,) = json.loads(outcome.answers[0].body)["stackTrace"]
    assert "app.py" in place
    assert "Line 2" in place
    assert "return (" in place


def test_the_handler_may_come_from_the_environment(serve: Serve, platform: Platform) -> None:
    import subprocess
    import sys

    from tests.runtime.conftest import BOOTSTRAP

    for env, text in (
        ({"AWS_LAMBDA_RUNTIME_API": platform.address}, "give one handler"),
        ({"_HANDLER": "app.handler"}, "AWS_LAMBDA_RUNTIME_API is not set"),
    ):
        done = subprocess.run(
            [str(BOOTSTRAP)],
            env={"PATH": "/bin:/usr/bin", "HANDLERKIT_PYTHON": sys.executable, **env},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert text in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_trace_of_an_init_error_begins_in_user_code_also_behind_the_import_system(start: Start) -> None:
    finder = """
    import sys
    class Finder:
        def find_spec(self, name, path, target=None):
            if name == "pkg.mod":
                raise ValueError("from a finder")
    sys.meta_path.insert(0, Finder())
    """
    outcome = start(handler="pkg/mod.handler", files={"pkg/__init__.py": finder}).end()
    document = json.loads(outcome.answers[0].body)
    assert document["errorMessage"] == "from a finder"
    assert ["in find_spec" in block for block in document["stackTrace"]] == [True]
