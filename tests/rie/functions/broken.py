"""A function whose module cannot be imported."""

import a_module_that_is_not_in_the_package  # type: ignore[import-not-found]  # noqa: F401


def handler(event: object, context: object) -> None:
    """Never reached."""
