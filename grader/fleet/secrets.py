"""Secrets of an inventory, which no log may hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_NAMED = re.compile(r"pass(word|phrase)?$|_pass_|secret|token|private_key$|vault", re.IGNORECASE)
# A shorter one would take ordinary words out of the log.
_SHORTEST = 4
_SHOWN = 4_000
HIDDEN = "[hidden]"


def of(variables: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what must not be shown of the variables of machines, the longest first."""
    found = {secret for one in variables for secret in _in(one, named=False)}
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


def without(text: str, hidden: Iterable[str]) -> str:
    """Return a text in which secrets are hidden, cut where a host floods."""
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} […+{len(text) - _SHOWN}]"


def _in(value: Any, *, named: bool) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _in(inner, named=named or bool(_NAMED.search(str(key))))
    elif isinstance(value, list):
        for inner in value:
            yield from _in(inner, named=named)
    elif named and isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
