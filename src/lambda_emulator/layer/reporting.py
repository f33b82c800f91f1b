"""How the layer's commands show what they did: tables and findings as text, or one JSON object. Decides nothing."""

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lambda_emulator.layer.build import Built
from lambda_emulator.layer.findings import Finding
from lambda_emulator.layer.gates import LIMIT_UNPACKED_BYTES, LIMIT_UPLOAD_BYTES, MOST_LAYERS
from lambda_emulator.layer.sizes import advice
from lambda_emulator.layer.verify import Verification

__all__ = ["as_json", "built_lines", "finding_lines", "progress", "verification_lines"]

_MIB = 1024 * 1024


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Something to call with each step: a spinner on a terminal, a line on stderr elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: print(f"{step} ...", file=sys.stderr, flush=True)
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda step: status.update(f"{step} ...")


def built_lines(built: Built) -> Iterator[str]:
    """The size table, and what Lambda's limits leave."""
    yield f"{'package':<24} {'zipped':>11} {'unzipped':>12} {'files':>6}"
    for share in built.shares:
        yield f"{share.owner:<24} {share.packed:>11,} {share.unpacked:>12,} {share.files:>6,}"
    yield f"{'in all':<24} {built.packed:>11,} {built.unpacked:>12,}"
    yield (
        f"{built.packed / _MIB:.1f} of {LIMIT_UPLOAD_BYTES // _MIB} MiB for a direct upload, "
        f"{built.unpacked / _MIB:.1f} of {LIMIT_UNPACKED_BYTES // _MIB} MiB unzipped "
        f"(the function and up to {MOST_LAYERS} layers together)"
    )
    if any(finding.kind == "size" for finding in built.findings):
        yield from (f"to drop: {line}" for line in advice(built.shares))
    if built.not_compiled:
        first, reason = next(iter(sorted(built.not_compiled.items())))
        yield f"{len(built.not_compiled)} files are not for this Python and have no bytecode, such as {first}: {reason}"
    yield f"sha256 {built.sha256}  {built.path}"


def finding_lines(findings: list[Finding]) -> Iterator[str]:
    """Mistakes first."""
    for finding in sorted(findings, key=lambda finding: finding.severity):
        yield f"{finding.severity}: {finding.message}"


def verification_lines(verification: Verification) -> Iterator[str]:
    """How it was run, the times, what is wrong."""
    if verification.not_run:
        yield verification.not_run
    elif verification.kind == "plain":
        yield (
            f"run without a sandbox ({verification.not_better}): paths below /opt, the read-only root and the user are "
            "not checked"
        )
    elif verification.kind is not None:
        why = f" ({verification.not_better})" if verification.not_better else ""
        yield f"run in a sandbox by {verification.kind}{why}: read-only root, user 993, /tmp of its own"
    if verification.modules:
        yield f"modules imported: {verification.modules}"
    if verification.cold_ms:
        times = ", ".join(f"{value:.1f}" for value in verification.cold_ms)
        own = f", of which {verification.sandbox_ms:.1f} are the sandbox's" if verification.sandbox_ms else ""
        yield f"cold, process start to the first /next: {times} ms{own}"
    if verification.warm_ms:
        yield f"warm: {statistics.median(verification.warm_ms):.2f} ms, median of {len(verification.warm_ms)}"
    if verification.result is not None:
        yield f"response: {verification.result.payload.decode('utf-8', 'backslashreplace')}"
    yield from finding_lines(verification.findings)
    if verification.mistakes:
        yield f"{len(verification.mistakes)} to mend"
    elif verification.function_failed:
        yield "no mistakes in the layer, but the function failed; its log is on standard error"
    else:
        yield "no mistakes"


def as_json(built: Built, verification: Verification | None = None) -> dict[str, Any]:
    """All of it for a program; times in milliseconds, sizes in bytes."""
    findings = built.findings if verification is None else verification.findings
    document: dict[str, Any] = {
        "path": str(built.path),
        "sha256": built.sha256,
        "packedBytes": built.packed,
        "unpackedBytes": built.unpacked,
        "packages": [
            {"name": one.owner, "packedBytes": one.packed, "unpackedBytes": one.unpacked, "files": one.files}
            for one in built.shares
        ],
        "findings": [{"severity": one.severity, "kind": one.kind, "message": one.message} for one in findings],
    }
    if verification is not None:
        document |= {
            "sandbox": verification.kind,
            "notRun": verification.not_run or None,
            "coldMs": verification.cold_ms,
            "sandboxMs": verification.sandbox_ms,
            "warmMs": verification.warm_ms,
            "functionError": verification.result.function_error if verification.result else None,
        }
    return document
