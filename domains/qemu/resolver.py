"""Choose the QEMU that an emulated lab host runs on: the first that was seen to do all that is asked.

The system's comes first, then our own build, then private runtimes of Debian's releases: each costs more
than the one before, so none is made or probed before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from domains import paths
from domains.errors import CapabilityMissing, TdlabError
from domains.qemu import behaviour, build, runtime
from domains.qemu.behaviour import BEHAVIOURS, Observed, Say, Verdict

SYSTEM = "system"
OWN_BUILD = "own build"
PRIVATE = "private runtime"


@dataclass(frozen=True)
class Emulator:
    """A QEMU, by the one path that libvirt is given, what it was seen to do, and why it was chosen.

    ``lacks`` says of each behaviour that was asked for and that it does not have why not.
    """

    path: Path
    version: str
    origin: str
    behaviours: Mapping[str, Verdict]
    why: str
    lacks: Mapping[str, str]


@dataclass(frozen=True)
class Candidate:
    """A QEMU that may be had: ``provide`` returns its path, or raises :class:`TdlabError`."""

    origin: str
    provide: Callable[[], Path]


@dataclass(frozen=True)
class Rejected:
    """A candidate that was not taken, what it can do all the same, and why it was not taken."""

    origin: str
    path: Path | None
    observed: Observed | None
    cause: str


Probe = Callable[[Path], Observed]


def resolve(
    needs: frozenset[str],
    *,
    say: Say = lambda _: None,
    allow_build: bool = True,
    allow_less: bool = False,
) -> Emulator:
    """Return a QEMU that was seen to do all of ``needs`` (names of ``BEHAVIOURS``).

    The first time this probes (8 s), and may build (4 minutes) or download (15 s); ``allow_build`` false
    takes our own QEMU only if it is already there. With ``allow_less`` the one that does the most is returned
    where none does all, and its ``lacks`` says what must be left out. Raises :class:`CapabilityMissing` when
    there is none, with the cause for each.
    """
    return choose(
        needs,
        candidates(say, allow_build=allow_build),
        lambda path: behaviour.probe(path, say),
        allow_less=allow_less,
    )


def candidates(say: Say, *, allow_build: bool) -> list[Candidate]:
    """Return where a QEMU may come from, the cheapest first."""
    return [
        Candidate(SYSTEM, partial(_present, paths.SYSTEM_QEMU)),
        Candidate(OWN_BUILD, partial(build.ensure_built, say) if allow_build else _own_if_built),
        *(
            Candidate(f"{PRIVATE} {suite}", partial(runtime.ensure_unpacked, suite, say))
            for suite in runtime.SUITES
        ),
    ]


def choose(
    needs: frozenset[str], among: Sequence[Candidate], probe: Probe, *, allow_less: bool = False
) -> Emulator:
    """Return the first candidate that can do all of ``needs``; the later ones are then not even made."""
    if strangers := needs - BEHAVIOURS.keys():
        raise ValueError(f"no such behaviour: {', '.join(sorted(strangers))}")
    rejected: list[Rejected] = []
    for candidate in among:
        try:
            path = candidate.provide()
            observed = probe(path)
        except TdlabError as none:
            rejected.append(Rejected(candidate.origin, None, None, none.problem))
            continue
        if observed.can(needs):
            return _taken(candidate.origin, path, observed, needs, rejected)
        rejected.append(Rejected(candidate.origin, path, observed, shortfall(observed, needs)))
    if allow_less and (best := _most(needs, rejected)):
        return best
    raise CapabilityMissing(
        f"no QEMU can do what is asked ({'; '.join(BEHAVIOURS[need] for need in sorted(needs))}):"
        f" {_told(rejected)}",
        remedy="put right what keeps our own QEMU from being built, or ask for less",
    )


def recalled(needs: frozenset[str]) -> tuple[Emulator | None, str]:
    """Return what :func:`resolve` would return by what is remembered, or None; and a sentence that says why.

    Looks at files only: nothing is probed, built or fetched.
    """
    rejected: list[Rejected] = []
    for origin, path in _at_hand():
        observed = behaviour.recall(path)
        if observed is None:
            return None, f"{path} was not probed yet"
        if observed.can(needs):
            taken = _taken(origin, path, observed, needs, rejected)
            return taken, taken.why
        rejected.append(Rejected(origin, path, observed, shortfall(observed, needs)))
    return None, _told(rejected) or "no QEMU is installed"


def shortfall(observed: Observed, needs: frozenset[str]) -> str:
    """Return in words which of ``needs`` a QEMU does not have, with the evidence."""
    lines = [f"{name}: {why}" for name, why in lacks(observed, needs).items()]
    return f"QEMU {observed.version} lacks {'; '.join(lines)}"


def lacks(observed: Observed, needs: frozenset[str]) -> dict[str, str]:
    """Return the evidence for each of ``needs`` that was not seen to work."""
    found = observed.verdicts
    return {need: found[need].evidence for need in sorted(needs) if found[need].status != "yes"}


def _taken(
    origin: str, path: Path, observed: Observed, needs: frozenset[str], rejected: Sequence[Rejected]
) -> Emulator:
    missing = lacks(observed, needs)
    can = (
        "does all that is asked"
        if not missing
        else f"does the most of what is asked (not {', '.join(missing)})"
    )
    others = [one for one in rejected if one.path != path]
    because = f"; {_told(others)}" if others else ""
    why = f"{origin}, QEMU {observed.version}, {can}{because}"
    return Emulator(path, observed.version, origin, observed.verdicts, why, missing)


def _most(needs: frozenset[str], rejected: Sequence[Rejected]) -> Emulator | None:
    """Return the candidate that does the most of ``needs``, the first of equals; None where none does any."""
    usable = [
        _taken(one.origin, one.path, one.observed, needs, rejected)
        for one in rejected
        if one.path and one.observed and lacks(one.observed, needs).keys() < needs
    ]
    return min(usable, key=lambda emulator: len(emulator.lacks), default=None)


def _told(rejected: Sequence[Rejected]) -> str:
    return "; ".join(f"not the {one.origin}: {one.cause}" for one in rejected)


def _at_hand() -> list[tuple[str, Path]]:
    """Return the candidates that need not be made."""
    own = build.built()
    private = [(f"{PRIVATE} {suite}", runtime.unpacked(suite)) for suite in runtime.SUITES]
    found = [(SYSTEM, paths.SYSTEM_QEMU), (OWN_BUILD, own), *private]
    return [(origin, path) for origin, path in found if path is not None and path.is_file()]


def _present(emulator: Path) -> Path:
    if emulator.is_file():
        return emulator
    raise CapabilityMissing(
        f"{emulator} is not installed", remedy="run ./tdlab once as root: set-up installs it"
    )


def _own_if_built() -> Path:
    if program := build.built():
        return program
    raise CapabilityMissing("it is not built yet", remedy="`tdlab host up --emulated` builds it")
