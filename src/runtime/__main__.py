"""`python -m runtime module.function`: serve a handler on an ordinary interpreter."""

import sys

from .start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], bare=False))
