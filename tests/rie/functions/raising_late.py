"""A function whose module raises when its emulator has begun to listen."""

import time

time.sleep(0.5)
raise RuntimeError("no database in this region")
