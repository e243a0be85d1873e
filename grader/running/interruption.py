"""How a command is stopped: every signal that ends it ends its ``with`` blocks."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the ``with`` blocks as Ctrl-C does: guests are taken down."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # What is ignored stays so: nohup means it.
    caught = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, stop) for one in caught}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def noted() -> Iterator[threading.Event]:
    """Note the first signal that asks to end, so that what is under way is ended well; the second ends it."""
    asked = threading.Event()

    def note(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    caught = [
        one
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(one) != signal.SIG_IGN and threading.current_thread() is threading.main_thread()
    ]
    before = {one: signal.signal(one, note) for one in caught}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
