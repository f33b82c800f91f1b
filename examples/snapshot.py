"""SnapStart: what to let go of before the snapshot, and what to take up again after each restore."""

from runtime import register_after_restore, register_before_snapshot

connection = {"open": True, "restored": 0}


@register_before_snapshot
def let_go():
    """A connection does not survive the snapshot."""
    connection["open"] = False


@register_after_restore
def take_up():
    """Every environment restored from the snapshot needs one of its own."""
    connection.update(open=True, restored=connection["restored"] + 1)


def handler(event, context):
    """Tell the connection's state."""
    return connection
