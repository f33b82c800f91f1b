"""What a handler's author imports. In this version: the distribution's version; typed events follow.

Importing this package must stay nearly free: names are resolved when they are first used.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
