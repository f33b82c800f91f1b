"""What a layer is built for: an architecture, a Python version, and what the base beneath it has. Values only."""

import platform
import re
import sys
from dataclasses import dataclass

from lambda_emulator.layer.errors import LayerError

__all__ = ["ARCHITECTURES", "BASE_GLIBC", "BASE_LIBRARIES", "Target", "host_architecture"]

BASE_GLIBC = (2, 34)
"""Amazon Linux 2023's C library: of `provided.al2023` and of every managed Python since 3.12."""

BASE_LIBRARIES = frozenset({
    "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    # The C library's own, empty since 2.34 and kept for programs built before.
    "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",
    # The compiler's unwinder, which comes with the C library; every wheel written in Rust asks for it.
    "libgcc_s.so.1",
})  # fmt: skip
"""What a file of the layer may ask of the base. Anything else has to be in the layer."""

ARCHITECTURES = ("x86_64", "arm64")
"""As Lambda names them."""

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_ELF_MACHINES = {"x86_64": 62, "arm64": 183}
# manylinux1, 2010 and 2014 are older names of 2.5, 2.12 and 2.17.
_OLD_NAMES = ("manylinux2014", "manylinux2010", "manylinux1")
_OLDEST_MINOR = {"x86_64": 5, "arm64": 17}


def host_architecture() -> str:
    """This machine's, in Lambda's words; "" where Lambda has no such machine."""
    machine = platform.machine().lower()
    return {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, "")


@dataclass(frozen=True, slots=True)
class Target:
    """One architecture and one minor version of CPython."""

    architecture: str
    python: tuple[int, int]

    @classmethod
    def of(cls, architecture: str, python: str) -> "Target":
        """From the words of a command line. Raises `LayerError`.

        >>> Target.of("aarch64", "3.13").architecture
        'arm64'
        """
        name = {"aarch64": "arm64", "amd64": "x86_64"}.get(architecture, architecture)
        if name not in ARCHITECTURES:
            raise LayerError(f"architecture {architecture!r} is not Lambda's: use {' or '.join(ARCHITECTURES)}")
        match = re.fullmatch(r"3\.(\d+)", python)
        if match is None or int(match[1]) < 11:
            raise LayerError(f"Python {python!r} is not possible: use a minor version from 3.11, such as 3.13")
        return cls(name, (3, int(match[1])))

    @property
    def python_name(self) -> str:
        """`python3.13`: of the program, and of the library's folder."""
        return f"python{self.version}"

    @property
    def version(self) -> str:
        """`3.13`."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def machine(self) -> str:
        """As the kernel and wheels name it."""
        return _MACHINES[self.architecture]

    @property
    def elf_machine(self) -> int:
        """`e_machine` of its programs."""
        return _ELF_MACHINES[self.architecture]

    @property
    def cache_tag(self) -> str:
        """`cpython-313`: of bytecode files."""
        return f"cpython-{self.python[0]}{self.python[1]}"

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """Every platform tag of a wheel that runs on the base, the newest first."""
        oldest = _OLDEST_MINOR[self.architecture]
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(BASE_GLIBC[1], oldest - 1, -1)]
        old = _OLD_NAMES if self.architecture == "x86_64" else _OLD_NAMES[:1]
        return (*tags, *(f"{name}_{self.machine}" for name in old))

    @property
    def markers(self) -> dict[str, str]:
        """What the conditions of requirements (`python_version < "3.12"`) are evaluated with.

        The patch is a late one: conditions on it are there for bugs that are fixed by now.
        """
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.version}.99",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.version}.99",
            "python_version": self.version,
            "sys_platform": "linux",
            "extra": "",
        }

    @property
    def runs_here(self) -> bool:
        """Whether this machine can run the target's programs."""
        return sys.platform == "linux" and host_architecture() == self.architecture
