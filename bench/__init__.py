"""Our runtime against AWS's own, side by side on one machine; run as `python -m bench`, see README.md."""
