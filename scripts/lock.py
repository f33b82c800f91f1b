"""Refresh requirements/*.lock and layer/layer.lock: every version and hash for Python >= 3.11, and no index's address.

Needs `uv` in the environment (`pip install uv`): it resolves for all interpreters and platforms at once.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Write all locks; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    core = project["project"]["dependencies"]
    emulator = project["project"]["optional-dependencies"]["emulator"]
    extras = project["project"]["optional-dependencies"]
    dev = project["dependency-groups"]["dev"]
    build = project["build-system"]["requires"]
    functions = ("dynamodb", "redis", "tracing", "opentelemetry", "cloudformation")
    for target, wanted in {
        "requirements/run": [*core, *emulator, *build, "editables"],
        "requirements/dev": [*core, *emulator, *build, *dev],
        # What the benches of this project compare with, on the same pydantic.
        "requirements/bench": [*core, "aws-lambda-powertools[all]==3.37.0", "boto3", "mangum==0.*", "fastapi"],
        # What a layer may hold: the core, and all that `handlerkit layer build --with` offers.
        "layer/layer": [*core, *(one for name in functions for one in extras[name])],
    }.items():
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links",
            "--output-file", str(ROOT / f"{target}.lock"),
        ]  # fmt: skip
        status = subprocess.run(command, input="\n".join(wanted), text=True, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
