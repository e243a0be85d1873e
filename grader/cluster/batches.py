"""From the rows of a class to batches that are small enough to send, read from disk only as they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.cluster.arrivals import Arrivals, Key, token
from grader.cluster.worker import Sent
from grader.grading import class_items
from grader.grading.class_items import Row
from grader.lab.lab import Lab
from grader.language import Lang
from grader.submission.archives import MAX_ARCHIVE

# A quarter of a second of work or so: a worker that dies loses no more, nobody waits longer than that for the
# last one, and asking costs little beside it.
_ROWS = 8
_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Share:
    """What of each submission is judged together: questions (none named: all), and the host they need."""

    only: tuple[str, ...] = ()
    host: str | None = None


@dataclass
class Batch:
    """Submissions on their way to one worker, with the keys of their grades."""

    share: Share
    numbers: list[int] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def add(self, number: int, key: Key, sent: Sent) -> None:
        """Take one more submission in."""
        self.numbers.append(number)
        self.keys.append(key)
        self.sent.append(sent)

    def is_full(self) -> bool:
        """Return whether it is to be sent before another is added; one that boots guests goes alone."""
        most = 1 if self.share.host else _ROWS
        return len(self.sent) >= most or sum(len(one.content or b"") for one in self.sent) >= _BYTES

    def alone(self) -> Iterator[Batch]:
        """Yield each submission as a batch of its own."""
        for one in zip(self.numbers, self.keys, self.sent, strict=True):
            single = Batch(self.share)
            single.add(*one)
            yield single


class Class:
    """The rows of a class, and what is known of their grades."""

    def __init__(self, lab: Lab, rows: Sequence[Row], lang: Lang | None, arrived: Arrivals) -> None:
        self._lab = lab
        self._rows = rows
        self._lang = lang
        self._arrived = arrived
        self._keys: dict[tuple[int, Share], Key] = {}
        self.resumed: set[int] = set()

    def batches(self, share: Share, *, sees_files: bool) -> Iterator[Batch]:
        """Yield what has not arrived yet, a batch at a time; workers that see our files are sent none."""
        batch = Batch(share)
        for number, row in enumerate(self._rows):
            content = _content(row)
            key = Key(
                hashlib.sha256(content or b"").hexdigest(), token(row, self._lang, share.host, share.only)
            )
            self._keys[number, share] = key
            if self._arrived.get(key) is not None:
                self.resumed.add(number)
            elif content is None:
                self._arrived.add([(key, self._here(row, share))])
            else:
                batch.add(number, key, Sent(row, None if sees_files else content))
            if batch.is_full():
                yield batch
                batch = Batch(share)
        if batch.sent:
            yield batch

    def grade(self, number: int, share: Share) -> bytes | None:
        """Return the grade of a row as JSON, or None where none has arrived."""
        return self._arrived.get(self._keys[number, share])

    def _here(self, row: Row, share: Share) -> bytes:
        """Return the grade of a submission that holds nothing to read: a worker could say no more of it."""
        graded = class_items.graded_row(self._lab, row, self._lang, share.host, share.only)
        return graded.model_dump_json(by_alias=True).encode()


def _content(row: Row) -> bytes | None:
    """Return what was handed in; None where there is nothing that can be sent."""
    if row.trouble:
        return None
    try:
        with Path(row.place).open("rb") as stream:
            content = stream.read(MAX_ARCHIVE + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_ARCHIVE else None
