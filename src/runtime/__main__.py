"""`python -m runtime module.function`: serve a handler on an ordinary interpreter."""

import sys

from .signals import end_process
from .start import main

if __name__ == "__main__":
    end_process(main(sys.argv[1:], bare=False))
