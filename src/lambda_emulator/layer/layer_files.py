"""Where the builder's own data lies: in the checkout's folder `layer/`, or inside the installed wheel."""

from pathlib import Path

__all__ = ["layer_file"]


def layer_file(name: str) -> Path:
    """The file of this name (`layer.lock`, `template.yaml`, `cpython.sh`, `Dockerfile`)."""
    here = Path(__file__).parent
    candidates = (here / "data" / name, here.parents[2] / "layer" / name)
    return next((path for path in candidates if path.is_file()), candidates[0])
