"""Verdicts are remembered for exactly as long as what they depend on stays the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from domains import paths
from domains.capabilities import kvm, model, trial, verdicts
from domains.capabilities import survey as surveys
from domains.capabilities.model import Capability
from domains.capabilities.trial import Verdict
from domains.host import Host
from domains.hypervisor import Hypervisor

HOSTS = Path(__file__).parent.parent / "data" / "hosts"
LIBVIRT = cast("Hypervisor", SimpleNamespace(uri="test:///default"))
SEEN = surveys.parse((HOSTS / "intel-workstation.txt").read_text())
NO = Verdict(
    model.no("kvm", "booted in vain", cause="it hung", remedy="use TCG"),
    model.no("counters", "not tried", cause="TCG", remedy="use KVM"),
    final=True,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    return tmp_path


def changed(**sections: str) -> surveys.Survey:
    return surveys.Survey(
        {**SEEN.sections, **{key.replace("_", "-"): text for key, text in sections.items()}}
    )


@pytest.mark.parametrize(
    "survey",
    [
        changed(kernel="Linux 6.12.31"),
        changed(boot="another"),
        changed(cpuinfo=SEEN.text("cpuinfo").replace("0xf6", "0xf8")),
        changed(modules="kvm\nkvm_intel\nkvm_intel ept=N"),
        changed(kvm="opens\n666 root kvm"),
        changed(user="0\nroot\nroot"),
        changed(qemu_version="QEMU emulator version 11.0.0"),
        changed(qemu_file="28686560 1757080994"),
    ],
)
def test_a_change_of_what_it_depends_on_ends_a_verdict(survey: surveys.Survey) -> None:
    assert verdicts.environment(survey, "11.3.0") != verdicts.environment(SEEN, "11.3.0")


def test_another_libvirt_or_another_trial_ends_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    now = verdicts.environment(SEEN, "11.3.0")
    assert verdicts.environment(SEEN, "11.4.0") != now
    monkeypatch.setattr(verdicts, "PROBE_VERSION", verdicts.PROBE_VERSION + 1)
    assert verdicts.environment(SEEN, "11.3.0") != now


def test_what_it_does_not_depend_on_keeps_a_verdict() -> None:
    other = changed(hugepages="2048kB 1 1", interfaces="lo", memory="MemTotal: 1 kB")
    assert verdicts.environment(other, "11.3.0") == verdicts.environment(SEEN, "11.3.0")


def test_a_verdict_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.json"
    verdicts.remember(file, "key", NO)
    assert verdicts.recall(file, "key") == NO
    assert verdicts.recall(file, "another key") is None
    assert [left.name for left in tmp_path.iterdir()] == ["verdicts.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": "tdlab.verdicts/1", "environment": "key"}']
)
def test_a_file_that_is_not_whole_holds_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "verdicts.json"
    file.write_text(text)
    assert verdicts.recall(file, "key") is None


def test_a_hosts_name_cannot_lead_out_of_the_cache(cache: Path) -> None:
    assert verdicts.file_for("../../etc/x y").parent == cache


def tried(results: list[Verdict]) -> tuple[list[str], Callable[..., Verdict]]:
    calls: list[str] = []

    def attempt(*_: object) -> Verdict:
        calls.append("tried")
        return results.pop(0)

    return calls, attempt


def ask(*, refresh: bool = False, key: str = "key") -> Verdict:
    return kvm.verdict(Host(), LIBVIRT, SEEN, key, refresh=refresh, say=lambda _: None)


def test_kvm_is_tried_once_and_again_when_asked_or_when_the_host_changed(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, attempt = tried([NO, NO, NO])
    monkeypatch.setattr(trial, "attempt", attempt)
    assert [ask(), ask()] == [NO, NO]
    assert len(calls) == 1
    ask(refresh=True)
    assert len(calls) == 2
    ask(key="after an update")
    assert len(calls) == 3


def test_a_trial_that_could_not_be_carried_out_is_not_remembered(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = Verdict(NO.kvm, NO.counters, final=False)
    calls, attempt = tried([passing, NO])
    monkeypatch.setattr(trial, "attempt", attempt)
    assert [ask(), ask()] == [passing, NO]
    assert len(calls) == 2


def test_nothing_is_tried_without_libvirt(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, attempt = tried([])
    monkeypatch.setattr(trial, "attempt", attempt)
    found = kvm.verdict(Host(), None, SEEN, "key", refresh=True, say=lambda _: None)
    assert (found.kvm.status, calls) == ("unknown", [])


@pytest.mark.parametrize(
    ("row", "name", "why"),
    [
        (model.yes("kvm", "ready in 1.4 s"), "kvm", "KVM works: ready in 1.4 s"),
        (NO.kvm, "tcg", "KVM cannot be used: it hung"),
        (
            model.unknown("kvm", cause="no libvirt", remedy="start it"),
            "tcg",
            "KVM is not believed: no libvirt",
        ),
    ],
)
def test_only_a_kvm_that_was_seen_to_work_is_chosen(row: Capability, name: str, why: str) -> None:
    chosen = kvm.choose(row)
    assert (chosen.name, chosen.why, chosen.capability) == (name, why, row)


def test_a_shortcoming_without_cause_and_remedy_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="without a cause and a remedy"):
        Capability("kvm", "no", "evidence")
