"""A folder that looks like the root of an OS-only base: the C library, a shell, a few files of `/etc`, no Python.

The files are copies of this machine's, so its C library may be newer than the base's. That no file of a layer asks for
more than the base has is what the gates check.
"""

import shutil
from pathlib import Path

from lambda_emulator.layer.elf import is_elf, read_elf
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.target import BASE_LIBRARIES, Target

__all__ = ["CERTIFICATES", "MOUNT_POINTS", "make_base_root"]

MOUNT_POINTS = ("opt", "var/task", "var/lang", "var/runtime", "tmp", "proc", "dev", "emulator")
CERTIFICATES = "etc/pki/tls/certs/ca-bundle.crt"
"""Where Amazon Linux has the public certificate authorities, relative to the root."""

_FOLDERS = ("lib/{m}-linux-gnu", "usr/lib/{m}-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib")
# Loaded by name at run time, for host names and users.
_BY_NAME = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
_PROGRAMS = ("bin/sh", "usr/bin/env")
_OUR_CERTIFICATES = (
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
    "group": "root:x:0:\nsbx_user1051:x:990:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def make_base_root(folder: Path, target: Target) -> None:
    """Fill the folder. Raises `LayerError` where this machine lacks a file that every glibc system has."""
    for name in MOUNT_POINTS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "etc").mkdir(exist_ok=True)
    for name, text in _ETC.items():
        (folder / "etc" / name).write_text(text)
    _copy_if_there(Path("/etc/resolv.conf"), folder / "etc/resolv.conf")
    for certificates in map(Path, _OUR_CERTIFICATES):
        if certificates.is_file():
            _copy_if_there(certificates, folder / CERTIFICATES)
            break
    waiting = [*(name for name in BASE_LIBRARIES), *_BY_NAME]
    for program in _PROGRAMS:
        data = Path("/", program).resolve().read_bytes()
        _put(folder / program, data)
        waiting += read_elf(data).needed
    while waiting:
        name = waiting.pop()
        for place in _FOLDERS:
            relative = f"{place.format(m=target.machine)}/{name}"
            source = Path("/", relative)
            if not source.is_file() or (folder / relative).exists():
                continue
            data = source.resolve().read_bytes()
            if is_elf(data) and (program_ := read_elf(data)).machine == target.elf_machine:
                _put(folder / relative, data)
                waiting += program_.needed
    if not list(folder.rglob("libc.so.6")):
        raise LayerError("this machine has no glibc (libc.so.6), so there is no base to verify a layer on")


def _put(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    place.chmod(0o755)


def _copy_if_there(source: Path, place: Path) -> None:
    if source.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.resolve(), place)
        place.chmod(0o644)
