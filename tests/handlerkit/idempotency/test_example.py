"""The example delivers duplicates on purpose, and each order is charged once."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "idempotent_orders.py"


def test_each_order_of_the_example_is_charged_once() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "charged: order-0 order-1 order-2 order-3 order-4"
