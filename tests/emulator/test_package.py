"""The package as a whole: its names, its examples, and that importing it does nothing."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import lambda_emulator
from lambda_emulator.extra import needed_by

MODULES = sorted(
    module.name.removeprefix("lambda_emulator.")
    for module in pkgutil.walk_packages(lambda_emulator.__path__, "lambda_emulator.")
)


def test_the_public_names_are_these() -> None:
    assert lambda_emulator.__all__ == [
        "AwsClients",
        "Deployment",
        "EmbeddedAws",
        "EventOutcome",
        "EventSourceMapping",
        "FunctionConfiguration",
        "History",
        "HttpFront",
        "HttpPrelude",
        "HttpRoute",
        "InvalidConfiguration",
        "InvalidParameterValue",
        "InvalidPrelude",
        "InvalidRequestContent",
        "InvocationResult",
        "InvokeError",
        "LocalLambda",
        "LocalLambdaError",
        "ManualClock",
        "Metrics",
        "NotQuiet",
        "PastInvocation",
        "PreconditionFailed",
        "ProvisionedConcurrencyConfigNotFound",
        "RealClock",
        "Report",
        "RequestTooLarge",
        "ResourceConflict",
        "ResourceNotFound",
        "ServiceClosed",
        "StreamFailure",
        "StreamedResult",
        "TooManyRequests",
        "Trace",
        "TraceNode",
        "TrafficShift",
        "UnsupportedMediaType",
        "ValidationFailed",
        "XRayDaemon",
    ]
    for name in lambda_emulator.__all__:
        assert getattr(lambda_emulator, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = lambda_emulator.Nothing


def test_importing_the_package_loads_none_of_it() -> None:
    program = (
        "import sys; before = set(sys.modules); import lambda_emulator; "
        "print(sorted(set(sys.modules) - before - {'typing', 're', 'enum', 'functools', 'collections', 'operator'}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "lambda_emulator." not in loaded
    assert "asyncio" not in loaded


def test_without_the_extra_a_name_says_which_package_it_needs_and_where_that_comes_from() -> None:
    program = "import sys; sys.modules['h11'] = None; from lambda_emulator import LocalLambda"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.endswith(
        "ModuleNotFoundError: lambda_emulator.LocalLambda needs h11, which is not installed: "
        "pip install 'handlerkit[emulator]'\n"
    )


def test_a_module_of_ours_that_is_missing_is_no_matter_of_the_extra() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^no$"), needed_by("LocalLambda"):
        raise ModuleNotFoundError("no", name="lambda_emulator.nowhere")


def test_importing_any_module_changes_nothing() -> None:
    program = f"""
import importlib, logging, os, signal, threading
def state():
    return (dict(os.environ), threading.enumerate(), logging.root.handlers[:], signal.getsignal(15), os.listdir("."))
before = state()
for name in {MODULES!r}:
    importlib.import_module("lambda_emulator." + name)
assert state() == before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_lists_its_names_says_its_rules_and_shows_examples_that_are_true(name: str) -> None:
    module = importlib.import_module(f"lambda_emulator.{name}")
    assert module.__doc__
    assert module.__all__ == sorted(module.__all__, key=lambda each: (not each.isupper(), not each[0].isupper(), each))
    assert all(hasattr(module, each) for each in module.__all__)
    assert doctest.testmod(module).failed == 0
