"""The start of a layer that brings its own interpreter: the code of all modules that a start loads is in one file.

That file is made by the layer's builder from these same sources, and read by the layer's `bootstrap`, which hands the
codes to `start`. That saves the search and the reading of each. Modules that are not in the file, and all that come
after the function has turned out to have a `runtime` of its own, are found in the package's folder as ever.
"""

import _frozen_importlib  # what importlib.machinery re-exports
import posix
import sys

__all__ = ["Bundle", "start"]

WRAPPED = "handlerkit_wrapped"
"""An -X option: the wrapper has run."""
CERTIFICATES = "/etc/pki/tls/certs/ca-bundle.crt"
"""Amazon Linux's certificate authorities, where a layer's OpenSSL does not look."""


class Bundle:
    """Finder and loader of the modules in the file, each once; gone from `sys.meta_path` with the last."""

    def __init__(self, codes: "dict[str, CodeType]", folder: str) -> None:
        self._codes = codes
        self._folder = folder

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """A module of the file, as if it had been found in the package's folder; None for any other."""
        code = self._codes.get(name)
        if code is None:
            return None
        package = "." not in name
        loader: Any = self  # what importlib needs of a loader, and no more
        file = f"{self._folder}/{'__init__' if package else name.rpartition('.')[2]}.py"
        spec = _frozen_importlib.ModuleSpec(name, loader, origin=file, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [self._folder]
        return spec

    def create_module(self, _spec: "ModuleSpec") -> None:
        """The usual kind."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code."""
        code = self._codes.pop(module.__name__)
        if not self._codes:
            sys.meta_path.remove(self)
        exec(code, module.__dict__)  # noqa: S102  # what every loader does


def start(codes: "dict[str, CodeType]", bootstrap: str) -> None:
    """Serve functions until the end of the process; `bootstrap` is the path of the file that was started."""
    wrapper = posix.environ.get(b"AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper and WRAPPED not in sys._xoptions:
        _wrap(wrapper.decode("utf-8", "surrogateescape"), bootstrap)
    if b"SSL_CERT_FILE" not in posix.environ and posix.access(CERTIFICATES, posix.R_OK):
        posix.environ[b"SSL_CERT_FILE"] = CERTIFICATES.encode()  # `os.environ` is made of this one
        posix.putenv("SSL_CERT_FILE", CERTIFICATES)
    sys.meta_path.insert(0, Bundle(codes, f"{bootstrap.rpartition('/')[0]}/python/runtime"))
    # Absolute, as this runs before there is a package.
    from runtime.signals import end_process
    from runtime.start import main

    end_process(main(sys.argv[1:], bare=True))


def _wrap(wrapper: str, bootstrap: str) -> None:
    """Become the wrapper script with this start as its arguments; statuses as in the managed runtime."""
    for mode, status, reason in ((posix.F_OK, 127, "does not exist"), (posix.X_OK, 126, "is not executable")):
        if not posix.access(wrapper, mode):
            sys.stderr.write(f"handlerkit: AWS_LAMBDA_EXEC_WRAPPER is {wrapper}, which {reason}\n")
            posix._exit(status)
    arguments = [wrapper, sys.executable, "-IBSXutf8", f"-X{WRAPPED}", bootstrap, *sys.argv[1:]]
    try:
        posix.execv(wrapper, arguments)
    except OSError as error:
        sys.stderr.write(f"handlerkit: AWS_LAMBDA_EXEC_WRAPPER is {wrapper}, which cannot be run: {error.strerror}\n")
        posix._exit(126)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any
