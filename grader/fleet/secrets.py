"""Secrets of an inventory, which no log, no event and no page may hold."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_NAMED = re.compile(r"pass(word|phrase)?$|_pass_|secret|token|private_key$|vault", re.IGNORECASE)
# A shorter one would take ordinary words out of the log.
_SHORTEST = 4
_SHOWN = 4_000
HIDDEN = "[hidden]"


def of(variables: Iterable[Mapping[str, Any]], more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what must not be shown of the variables of machines, the longest first.

    ``more`` is what was encrypted in the inventory, whatever it is called there.
    """
    found = {secret for one in variables for secret in _in(one, named=False)} | set(more)
    written = {form for one in found if len(one) >= _SHORTEST for form in _forms(one)}
    return tuple(sorted(written, key=lambda form: (-len(form), form)))


def without(text: str, hidden: Iterable[str]) -> str:
    """Return a text in which secrets are hidden."""
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return text


def shown(text: str, hidden: Iterable[str]) -> str:
    """Return a text for the log: secrets are hidden, and it is cut where a host floods."""
    text = without(text, hidden)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} […+{len(text) - _SHOWN}]"


def cleared(value: Any, hidden: tuple[str, ...]) -> Any:
    """Return an event of Ansible's in which secrets are hidden, wherever they stand."""
    if not hidden:
        return value
    if isinstance(value, str):
        return without(value, hidden)
    if isinstance(value, Mapping):
        return {key: cleared(inner, hidden) for key, inner in value.items()}
    return [cleared(inner, hidden) for inner in value] if isinstance(value, list) else value


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as programs write it: as it is, in JSON, in a shell's quotes, each line of it."""
    yield from (secret, shlex.quote(secret))
    yield from (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    yield from (line for line in secret.splitlines() if len(line) >= _SHORTEST)


def _in(value: Any, *, named: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _in(inner, named=named or bool(_NAMED.search(str(key))))
    elif isinstance(value, list):
        for inner in value:
            yield from _in(inner, named=named)
    elif named and isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
