"""What stops a build or a verification: one sentence for the user, with what to do."""

__all__ = ["LayerError"]


class LayerError(Exception):
    """The layer cannot be made or run as asked; the message says what is wrong, where, and what to do."""
