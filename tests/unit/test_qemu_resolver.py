"""The choice of a QEMU, over candidates whose verdicts are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domains.capabilities import emulated
from domains.errors import CapabilityMissing, InfrastructureError
from domains.qemu import behaviour, resolver
from domains.qemu.behaviour import BEHAVIOURS, SHADOW_PAGING, VF_BARS, Observed, Verdict
from domains.qemu.resolver import Candidate

BOTH = frozenset({SHADOW_PAGING, VF_BARS})


def observed(version: str, *can: str) -> Observed:
    return Observed(
        version, {name: Verdict("yes" if name in can else "no", f"{name} seen") for name in BEHAVIOURS}
    )


SEEN = {
    Path("/system"): observed("10.0.2"),
    Path("/own"): observed("10.0.13", SHADOW_PAGING, VF_BARS),
    Path("/trixie"): observed("10.0.13", VF_BARS),
    Path("/bookworm"): observed("7.2.22", SHADOW_PAGING),
}


def there(name: str) -> Candidate:
    return Candidate(name, lambda: Path(f"/{name}"))


def missing(name: str, problem: str = "no network") -> Candidate:
    def refuse() -> Path:
        raise InfrastructureError(problem)

    return Candidate(name, refuse)


def forbidden(name: str) -> Candidate:
    def fail() -> Path:
        raise AssertionError(f"{name} was made although it was not needed")

    return Candidate(name, fail)


def test_the_system_s_qemu_is_taken_where_it_can_do_all_and_nothing_else_is_made() -> None:
    probe = {Path("/system"): observed("9.0", SHADOW_PAGING, VF_BARS)}.__getitem__
    chosen = resolver.choose(BOTH, [there("system"), forbidden("own")], probe)
    assert (chosen.path, chosen.origin, chosen.lacks) == (Path("/system"), "system", {})
    assert chosen.why == "system, QEMU 9.0, does all that is asked"


def test_the_own_build_is_next_and_the_reason_names_what_the_system_lacks() -> None:
    chosen = resolver.choose(BOTH, [there("system"), there("own"), forbidden("trixie")], SEEN.__getitem__)
    assert chosen.path == Path("/own")
    assert "not the system: QEMU 10.0.2 lacks shadow-paging: shadow-paging seen; vf-bars" in chosen.why


@pytest.mark.parametrize(("need", "path"), [(VF_BARS, "/trixie"), (SHADOW_PAGING, "/bookworm")])
def test_a_runtime_serves_where_no_own_build_can_be_had(need: str, path: str) -> None:
    among = [there("system"), missing("own"), there("trixie"), there("bookworm")]
    chosen = resolver.choose(frozenset({need}), among, SEEN.__getitem__)
    assert chosen.path == Path(path)
    assert "not the own: no network" in chosen.why


def test_where_none_does_all_each_cause_is_told() -> None:
    among = [there("system"), missing("own"), there("trixie"), there("bookworm")]
    with pytest.raises(CapabilityMissing) as refused:
        resolver.choose(BOTH, among, SEEN.__getitem__)
    for said in ("not the system", "not the own: no network", "7.2.22 lacks vf-bars", "10.0.13 lacks shadow"):
        assert said in refused.value.problem
    assert refused.value.remedy


def test_less_is_taken_only_when_that_is_allowed_and_what_is_lacking_is_said() -> None:
    among = [there("system"), missing("own"), there("trixie"), there("bookworm")]
    chosen = resolver.choose(BOTH, among, SEEN.__getitem__, allow_less=True)
    assert chosen.path == Path("/trixie")
    assert chosen.lacks == {SHADOW_PAGING: "shadow-paging seen"}
    assert "not the trixie" not in chosen.why
    with pytest.raises(CapabilityMissing):
        resolver.choose(BOTH, [there("system"), missing("own")], SEEN.__getitem__, allow_less=True)


def test_unknown_is_never_yes() -> None:
    unknown = Observed("1", dict.fromkeys(BEHAVIOURS, Verdict("unknown", "it said nothing")))
    with pytest.raises(CapabilityMissing, match="it said nothing"):
        resolver.choose(BOTH, [there("system")], lambda _: unknown, allow_less=True)


def test_a_qemu_that_does_not_start_is_passed_over_even_if_nothing_is_asked() -> None:
    def probe(path: Path) -> Observed:
        if path == Path("/system"):
            raise InfrastructureError("it does not start")
        return SEEN[path]

    assert resolver.choose(frozenset(), [there("system"), there("own")], probe).path == Path("/own")


def test_an_unknown_behaviour_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="no such behaviour: flying"):
        resolver.choose(frozenset({"flying"}), [there("system")], SEEN.__getitem__)


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def arrange(*present: str, probed: frozenset[str]) -> None:
        monkeypatch.setattr(resolver, "_at_hand", lambda: [(name, Path(f"/{name}")) for name in present])
        known = {path: seen for path, seen in SEEN.items() if path.name in probed}
        monkeypatch.setattr(behaviour, "recall", known.get)

    return arrange


def test_the_row_says_yes_only_by_verdicts_that_are_remembered(at_hand: Callable[..., None]) -> None:
    at_hand("system", "own", probed=frozenset({"system", "own"}))
    row = emulated.row()
    assert (row.id, row.status) == ("emulated-host", "yes")
    assert row.evidence.startswith("/own: own, QEMU 10.0.13, does all that is asked; not the system")


@pytest.mark.parametrize(
    ("present", "probed", "cause"),
    [
        (("system", "own"), {"own"}, "/system was not probed yet"),
        (("system",), {"system"}, "not the system: QEMU 10.0.2 lacks"),
        ((), set(), "no QEMU is installed"),
    ],
)
def test_the_row_names_the_command_that_finds_out(
    at_hand: Callable[..., None], present: tuple[str, ...], probed: set[str], cause: str
) -> None:
    at_hand(*present, probed=frozenset(probed))
    row = emulated.row()
    assert row.status == "unknown"
    assert cause in str(row.cause)
    assert "tdlab host up --emulated" in str(row.remedy)
