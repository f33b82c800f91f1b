"""A function whose module raises while it is imported."""

raise RuntimeError("no database in this region")
