"""The layer: a zip that turns an OS-only base into a Python runtime, or adds handlerkit to a managed one.

`build` makes it, `verify` proves it in a sandbox, `precompile` compiles a function's own package. Everything here runs
on a developer's machine or in a pipeline; nothing of it is in the layer.
"""

__all__: list[str] = []
