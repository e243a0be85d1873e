"""The process that judges for a worker: one submission after the other, and nothing else comes near it.

What students wrote is read here and nowhere in the worker, whose connection to the scheduler lets it do all
that the teacher may. A judge has no network where the kernel lets it go without; it ends with its worker.

It reads a line of JSON for each thing that it is asked, and answers with one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import IO, Any

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
# Seconds: a worker that lives on after a class has no use for it.
_IDLE = 300


def main() -> None:
    """Say what this judges by, then judge; ``network`` is whether guests of a lab host must be reached."""
    asked, answers = sys.stdin, _private(sys.stdout)
    order = json.loads(asked.readline())
    network = order["network"] or not _without_network()
    # Heavy, and threads may be started by it.
    from domains.errors import TdlabError
    from grader.grading import class_items, gradebook
    from grader.grading.grading import neutral_environment
    from grader.lab import lab as labs

    try:
        lab = labs.load(Path(order["lab"]))
    except TdlabError as bad:
        _say(answers, {"trouble": str(bad)})
        return
    hashes = {"lab_hash": labs.lab_hash(lab.folder), "grader_hash": gradebook.grader_hash()}
    _say(answers, {**hashes, "network": network})
    class_items.settle_memory()
    # Until here a worker could be told why not.
    _private(sys.stderr).close()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, lines), daemon=True).start()
    with neutral_environment():
        while True:
            try:
                one = json.loads(lines.get(timeout=_IDLE))
            except queue.Empty:
                return
            row = class_items.Row(**one["row"])
            graded = class_items.graded_row(lab, row, order["lang"], order["host"], one["only"])
            _say(answers, {"graded": graded.model_dump_json(by_alias=True)})


def _listen(asked: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """Hand on what is asked; when the worker is gone there is nobody to judge for, even half-way through."""
    for line in asked:
        lines.put(line)
    os._exit(0)


def _private(stream: IO[str]) -> IO[str]:
    """Return a stream of our own for answers: what a check or a library prints must not be among them."""
    kept = os.fdopen(os.dup(stream.fileno()), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    return kept


def _say(answers: IO[str], what: dict[str, Any]) -> None:
    print(json.dumps(what), file=answers, flush=True)


def _without_network() -> bool:
    """Go where there is no network, the loopback's neither; return whether the kernel let us."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_NET) != 0:
        return False
    # Who we are stays the same, for programs that look it up.
    maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
    with contextlib.suppress(OSError):
        for name, text in maps.items():
            Path("/proc/self", name).write_text(text)
    return True


if __name__ == "__main__":
    main()
