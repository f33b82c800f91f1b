"""The examples of README and docs do what they say.

A block is tied to its test by the comment above it: `file: NAME` is written to a folder; `test: NAME` runs as Python
beside that file, `pytest: NAME` by pytest; `run` is a console session whose output is compared, with times, ids and
figures left open.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"<!-- (file|test|pytest|run):? ?([^\n]*?) -->\n```\w+\n(.*?)```", re.DOTALL)
OPEN = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}"), "<trace>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<time>"),
    (re.compile(r"\d+(\.\d+)? (ms|MB)\b"), r"<number> \2"),
    (re.compile(r'"Timestamp":\d{13}\b'), '"Timestamp":<time>'),
    (re.compile(r'"file":"[^"]*/'), '"file":"<folder>/'),
]


@dataclass(frozen=True, slots=True)
class Example:
    """One block: its kind, what stands behind the kind, its text, and the page's files."""

    kind: str
    argument: str
    text: str
    files: dict[str, str]


def examples_of(page: Path) -> list[Example]:
    """The tied blocks of a page, in order."""
    files: dict[str, str] = {}
    found = []
    for kind, argument, text in BLOCK.findall(page.read_text()):
        if kind == "file":
            files[argument] = text
        else:
            found.append(Example(kind, argument, text, dict(files)))
    return found


CASES = [
    pytest.param(example, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, example in enumerate(examples_of(page))
]


def environment() -> dict[str, str]:
    """The tests' environment with this interpreter's commands first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONWARNINGS": "error"}


def normalised(text: str) -> str:
    """Text with everything open that differs from run to run."""
    for pattern, name in OPEN:
        text = pattern.sub(name, text)
    return text


@pytest.mark.parametrize("example", CASES)
def test_an_example_of_the_documentation_runs_as_shown(example: Example, tmp_path: Path) -> None:
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    if example.kind == "pytest":
        (tmp_path / example.argument).write_text(example.text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", example.argument]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    if example.kind == "test":
        done = subprocess.run(
            [sys.executable, "-c", example.text], cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return
    expected_status = int(example.argument.partition("status ")[2] or 0)
    for session in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
        line, _, expected = session.partition("\n")
        if line.startswith("pip install"):
            continue
        done = subprocess.run(
            ["sh", "-c", f"({line}) 2>&1"], cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert normalised(done.stdout) == normalised(expected)
        assert done.returncode == expected_status


def test_every_page_is_reachable_and_every_link_leads_somewhere() -> None:
    pages = [
        *PAGES,
        ROOT / "CONTRIBUTING.md",
        ROOT / "bench" / "README.md",
        *(ROOT / "docs" / "decisions").glob("*.md"),
    ]
    linked = set()
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            path = (page.parent / target).resolve()
            assert path.exists(), f"{page.name} links to {target}"
            linked.add(path)
    assert {page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"} <= linked
