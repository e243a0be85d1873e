"""End what takes too long: one question by an exception, and a worker that no longer listens for good."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Seconds on the wall, and seconds of CPU: an honest question takes a hundredth of one, a submission a tenth.
A_QUESTION = 60
A_SUBMISSION = 600


class TimeUp(BaseException):
    """A question took too long; no library takes this for an exception of its own."""


class _Alarm:
    """This process's alarm: taken once for many questions, for to take it costs as much as a short one."""

    seconds: float = A_QUESTION
    is_taken = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Break off what runs."""
        raise TimeUp(f"it took more than {self.seconds:g} s")


_ALARM = _Alarm()


@contextlib.contextmanager
def for_a_question(seconds: float = A_QUESTION) -> Iterator[None]:
    """Raise :class:`TimeUp` in the block after so many seconds; outside of the main thread it cannot."""
    with contextlib.nullcontext() if _ALARM.is_taken else _taken():
        if not _ALARM.is_taken:
            yield
            return
        _ALARM.seconds = seconds
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def for_a_submission(seconds: float = A_SUBMISSION) -> Iterator[None]:
    """End this process when the block takes more CPU, even inside of a library that never returns.

    Nobody handles this signal, so the kernel itself ends the process. What waits takes no CPU, and the alarm
    of its question ends it.
    """
    with _taken():
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def _taken() -> Iterator[None]:
    if _ALARM.is_taken or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ALARM)
    _ALARM.is_taken = True
    try:
        yield
    finally:
        _ALARM.is_taken = False
        signal.signal(signal.SIGALRM, before)
