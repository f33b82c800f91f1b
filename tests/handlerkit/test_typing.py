"""The types that users see: what is right passes mypy --strict, what is wrong does not."""

import re
import subprocess
import sys
from pathlib import Path

HANDLERS = Path(__file__).with_name("typed_handlers.py")


def test_example_handlers_type_check_and_each_marked_mistake_is_found(tmp_path: Path) -> None:
    # The mistakes carry `# expect: codes`; mypy must report those lines, those codes, and nothing else. The first line
    # keeps the project's own type check away from them.
    lines = HANDLERS.read_text("utf-8").splitlines()[1:]
    copy = tmp_path / "handlers.py"
    copy.write_text("\n".join(lines), "utf-8")
    options = [
        "--strict",
        "--no-error-summary",
        "--show-error-codes",
        "--config-file",
        "",
        "--cache-dir",
        str(tmp_path),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(copy)], capture_output=True, text=True, check=False
    )
    found: dict[int, list[str]] = {}
    for line, code in re.findall(r"^[^:\n]+:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE):
        found.setdefault(int(line), []).append(code)
    marks = ((number, re.search(r"# expect: ([\w -]+)", line)) for number, line in enumerate(lines, 1))
    assert found == {number: mark[1].split() for number, mark in marks if mark}, done.stdout + done.stderr
