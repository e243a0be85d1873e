"""The probe of QEMU, on the QEMUs that are here; nothing is compiled, and nothing remembered is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domains import paths
from domains.errors import CapabilityMissing
from domains.qemu import behaviour, build, home, resolver, runtime
from domains.qemu.behaviour import BEHAVIOURS, SHADOW_PAGING, VF_BARS

pytestmark = pytest.mark.integration

# What was seen of released versions, by hand, in whole emulated lab hosts.
SEEN = {
    "7.2.": {SHADOW_PAGING: "yes", VF_BARS: "no"},
    "10.0.2 ": {SHADOW_PAGING: "no", VF_BARS: "no"},
    "10.0.13 ": {SHADOW_PAGING: "no", VF_BARS: "yes"},
}


# The candidates without the right to build: one of them is our own QEMU.
OWN_IF_BUILT = resolver.candidates(lambda _: None, allow_build=False)[1]


def statuses(emulator: Path) -> dict[str, str]:
    return {name: verdict.status for name, verdict in behaviour.observe(emulator).verdicts.items()}


def test_the_system_s_qemu_is_judged_as_it_was_seen_to_be() -> None:
    version = behaviour.version_of(paths.SYSTEM_QEMU)
    found = statuses(paths.SYSTEM_QEMU)
    expected = [seen for begin, seen in SEEN.items() if version.startswith(begin)]
    assert found in (expected or [found])
    assert "unknown" not in found.values()


def test_a_private_runtime_brings_what_the_system_lacks_and_no_root_of_its_own() -> None:
    program = runtime.ensure_unpacked("bookworm")
    assert behaviour.version_of(program).startswith("7.2.")
    assert statuses(program) == SEEN["7.2."]
    others = [file for file in program.parent.rglob("*") if file.is_file() and not file.is_symlink()]
    assert not [file for file in others if file.stat().st_mode & 0o6000]
    assert home.is_reachable(program.parent)
    assert os.access(program, os.X_OK)


def test_the_own_build_does_everything_where_it_was_built() -> None:
    program = build.built()
    if program is None:
        with pytest.raises(CapabilityMissing, match="not the own build: it is not built yet"):
            resolver.choose(frozenset(BEHAVIOURS), [OWN_IF_BUILT], behaviour.probe)
        return
    assert statuses(program) == dict.fromkeys(BEHAVIOURS, "yes")
    assert home.is_reachable(program.parent)
    chosen = resolver.resolve(frozenset(BEHAVIOURS), allow_build=False)
    assert not chosen.lacks
    assert resolver.recalled(frozenset(BEHAVIOURS))[0] == chosen
