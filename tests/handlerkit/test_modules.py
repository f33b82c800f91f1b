"""Every module of the package: its examples run, its public names are listed and exist."""

import doctest
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

import handlerkit

MODULES = ["handlerkit", *(one.name for one in pkgutil.walk_packages(handlerkit.__path__, "handlerkit."))]


@pytest.fixture(scope="module", autouse=True)
def sdks_socket() -> Iterator[None]:
    """One of our modules imports aws-xray-sdk, which opens a socket for that and leaves it open."""
    yield
    emitters = sys.modules.get("aws_xray_sdk.core.emitters.udp_emitter")
    if emitters is not None:
        import_module("aws_xray_sdk.core").xray_recorder.emitter._socket.close()


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_listed_and_exist(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__))
    for public in module.__all__:
        assert hasattr(module, public)


@pytest.mark.parametrize("name", MODULES)
def test_no_public_name_is_that_of_a_module_below_whose_import_would_replace_it(name: str) -> None:
    package = import_module(name)
    below = {one.name for one in pkgutil.iter_modules(getattr(package, "__path__", []))}
    assert below.intersection(package.__all__) == set(getattr(package, "_MODULES", ()))
