"""Run a command of tdlab in a process of its own, and say what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domains import process
from domains.paths import SHIPPED

_DEADLINE = 3600


@dataclass(frozen=True)
class Took:
    """What a command took: seconds on the wall and of CPU; MiB of it, and of its largest worker."""

    wall: float
    cpu: float
    own_mib: float
    worker_mib: float
    status: int


def run(words: Sequence[str | Path]) -> Took:
    """Run a command and return what it took."""
    argv = [sys.executable, "-m", "benchmarks._measured", *map(str, words)]
    done = process.run(argv, timeout=_DEADLINE, check=False, env={"PYTHONPATH": str(SHIPPED)})
    return Took(**json.loads(done.stderr.splitlines()[-1]))


def main() -> None:
    """Run the command in here, so that the figures are of it and its workers alone."""
    from grader import cli

    began = time.monotonic()
    status = 0
    try:
        cli.main()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    took = {
        "wall": round(time.monotonic() - began, 3),
        "cpu": round(sum(one.ru_utime + one.ru_stime for one in (own, workers)), 3),
        "own_mib": round(own.ru_maxrss / 1024, 1),
        "worker_mib": round(workers.ru_maxrss / 1024, 1),
        "status": status,
    }
    print(json.dumps(took), file=sys.stderr)


if __name__ == "__main__":
    main()
