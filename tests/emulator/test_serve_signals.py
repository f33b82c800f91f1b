"""What a serving command's main thread waits for."""

import threading

import pytest

from lambda_emulator.serve_signals import Messages


def told() -> None:
    """A message."""


def test_what_another_thread_posts_ends_the_wait() -> None:
    messages = Messages()
    thread = threading.Thread(target=messages.post, args=(told,))
    thread.start()
    assert messages.next() is told
    thread.join()


@pytest.mark.usefixtures("many_descriptors")
def test_it_waits_beyond_a_thousand_descriptors() -> None:
    messages = Messages()
    thread = threading.Timer(0.05, messages.post, (told,))
    thread.start()
    assert messages.next() is told
    thread.join()
