"""End what takes too long: one question by an exception, and a worker that no longer listens for good."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Seconds: an honest question takes a hundredth of one, an honest submission a tenth.
A_QUESTION = 60
A_SUBMISSION = 600


class TimeUp(BaseException):
    """A question took too long; no library takes this for an exception of its own."""


@contextlib.contextmanager
def for_a_question(seconds: float = A_QUESTION) -> Iterator[None]:
    """Raise :class:`TimeUp` in the block after so many seconds; outside of the main thread it cannot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUp(f"it took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def for_a_submission(seconds: float = A_SUBMISSION) -> Iterator[None]:
    """End this process when the block takes longer, even inside of a library that never returns."""
    with open(os.devnull, "w") as nobody:  # noqa: PTH123 - faulthandler wants a file with a descriptor
        faulthandler.dump_traceback_later(seconds, exit=True, file=nobody)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
