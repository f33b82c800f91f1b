"""A local Lambda: the platform's side of the Runtime API, on a developer's machine and in tests."""
