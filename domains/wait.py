"""The only place that sleeps: every wait has a name, a condition and a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from domains.errors import DeadlineExceeded

T = TypeVar("T")


def until(
    condition: Callable[[], T | None],
    *,
    waiting_for: str,
    deadline: float,
    interval: float = 0.02,
    longest_interval: float = 0.25,
) -> T:
    """Call ``condition`` until it returns something true, and return that.

    ``deadline`` and the intervals are in seconds on the monotonic clock; the pause between two calls grows by
    half from ``interval`` to ``longest_interval``.
    Raises :class:`DeadlineExceeded`, which carries the name of what was waited for.
    """
    end = time.monotonic() + deadline
    pause = interval
    while True:
        if value := condition():
            return value
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(waiting_for, deadline)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, longest_interval)
