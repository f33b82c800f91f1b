"""The example polls a queue that delivers duplicates on purpose, and each order is charged once."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "idempotent_orders.py"


def test_each_order_of_the_example_is_charged_once() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    delivered, charged = (line.partition(": ")[2].split() for line in done.stdout.splitlines()[-2:])
    assert sum(map(int, delivered)) == 25  # ten, the same ten after the crash, and five
    assert sorted(charged) == [f"order-{number}" for number in range(5)]
