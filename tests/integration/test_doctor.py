"""``tdlab doctor`` on the host that this test runs on, whatever it can do: its answers must hold together."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domains import capabilities, hypervisor, images, lifecycle, ownership, process, store
from domains.capabilities import survey, trial
from domains.host import Host
from domains.hypervisor import Hypervisor
from domains.render import Placement
from domains.spec import DomainSpec

pytestmark = pytest.mark.integration


def doctor(*options: str, cache: Path) -> process.Completed:
    return process.run(
        [sys.executable, "-m", "grader", "doctor", *options],
        timeout=600,
        env={"XDG_CACHE_HOME": str(cache)},
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache without verdicts, but with the guest image of this user, which takes long to make."""
    image = images.build()
    folder = tmp_path_factory.mktemp("cache")
    (folder / "tdlab").mkdir()
    (folder / "tdlab" / "images").symlink_to(image.folder.parent)
    return folder


@pytest.fixture(scope="module")
def first(cache: Path) -> process.Completed:
    """What doctor prints when it has to try everything."""
    return doctor("--json", cache=cache)


@pytest.fixture(scope="module")
def rows(first: process.Completed) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(first.stdout)["capabilities"]}


@pytest.fixture(scope="module")
def connection() -> Iterator[Hypervisor]:
    with hypervisor.connected() as opened:
        yield opened


def test_the_contract_is_kept(first: process.Completed) -> None:
    found = json.loads(first.stdout)
    assert (found["schema"], found["host"]) == ("tdlab.doctor/1", "localhost")
    for row in found["capabilities"]:
        assert set(row) == {"id", "status", "evidence", "cause", "remedy"}
        assert row["status"] in {"yes", "no", "unknown"}
        assert row["status"] == "yes" or (row["cause"] and row["remedy"]), row


def test_what_the_rows_say_is_what_sysfs_says(rows: dict[str, dict[str, Any]]) -> None:
    assert (rows["vhost-net"]["status"] == "yes") == Path("/dev/vhost-net").exists()
    assert (rows["iommu"]["status"] == "yes") == any(Path("/sys/class/iommu").glob("*"))
    flags = Path("/proc/cpuinfo").read_text().split()
    assert (rows["cpu-extension"]["status"] == "yes") == bool({"vmx", "svm"} & set(flags))
    assert rows["libvirt"]["status"] == rows["qemu"]["status"] == rows["image"]["status"] == "yes"


def test_kvm_is_said_to_work_only_where_a_guest_booted(
    rows: dict[str, dict[str, Any]], first: process.Completed
) -> None:
    kvm, counters = rows["kvm"], rows["counters"]
    assert kvm["status"] != "unknown", kvm["cause"]
    if kvm["status"] == "yes":
        assert "guest was ready" in kvm["evidence"]
        assert "port reads raised io_exits" in counters["evidence"]
    else:
        assert counters["status"] == "no"
        assert "a lab host with working KVM" in kvm["remedy"]
    if Path("/dev/kvm").exists():
        assert "trying KVM" in first.stderr


def test_the_second_time_nothing_is_tried(first: process.Completed, cache: Path) -> None:
    again = doctor("--json", cache=cache)
    assert again.stderr == ""
    kept = {row["id"]: row for row in json.loads(again.stdout)["capabilities"]}
    tried = {row["id"]: row for row in json.loads(first.stdout)["capabilities"]}
    assert [kept[identity] for identity in ("kvm", "counters")] == [tried["kvm"], tried["counters"]]


def test_a_trial_leaves_no_guest_and_no_network(
    connection: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ownership.new_run_id()
    monkeypatch.setattr(ownership, "new_run_id", lambda: run)
    verdict = trial.attempt(connection.uri, survey.look(Host()), lambda _: None)
    assert verdict.kvm.status != "unknown", verdict.kvm.cause
    for things in (["list", "--all", "--name"], ["net-list", "--all", "--name"]):
        names = process.run(["virsh", "--connect", connection.uri, *things], timeout=30).stdout
        assert run not in names


def test_the_table_is_readable_without_colour(first: process.Completed, cache: Path) -> None:
    text = doctor(cache=cache).stdout
    assert "\x1b" not in text
    assert text.startswith("Guests on localhost run under ")
    assert "interrupt-remapping" in text


def test_the_ports_that_the_counters_test_reads_belong_to_no_device(connection: Hypervisor) -> None:
    """The reads must be exits without side effects; the guest's own list of its ports tells."""
    stored = store.keep(connection, images.build())
    owner = ownership.this_process(ownership.new_run_id())
    name = f"{ownership.PREFIX}{owner.run}-ports"
    place = Placement(
        name=name, accelerator="tcg", kernel=stored.kernel, initramfs=stored.initramfs, owner=owner
    )
    with (
        lifecycle.network(connection, owner) as network,
        lifecycle.running(connection, DomainSpec(accelerator="tcg"), place, network, 0) as domain,
    ):
        ports = domain.guest.shell("cat /proc/ioports")
        read = domain.guest.shell(trial.port_reads(trial.PORT_READS))
        # TCG has no exits: what this KVM row rests on must be missing, never zero.
        assert trial.io_exits(domain.machine.statistics()) is None
    assert f"{trial.PORT_READS}+0 records in" in read
    first, last = trial.FIRST_PORT, trial.FIRST_PORT + trial.PORT_READS - 1
    taken = [line for line in ports.splitlines() if _is_device(line) and _overlaps(line, first, last)]
    assert taken == []


def _overlaps(line: str, first: int, last: int) -> bool:
    low, _, high = line.partition(" :")[0].strip().partition("-")
    return int(low, 16) <= last and int(high, 16) >= first


def _is_device(line: str) -> bool:
    """A line that is no window of a bus: windows only say where devices could be."""
    return "PCI Bus" not in line


def test_the_accelerator_follows_from_the_row(connection: Hypervisor) -> None:
    found = capabilities.probe(Host(), connection)
    chosen = capabilities.choose(found["kvm"])
    assert (chosen.name == "kvm") == found.has("kvm")
    assert chosen.capability == found["kvm"]
    assert chosen.why


def test_a_host_refuses_what_it_lacks_and_runs_what_every_host_can(connection: Hypervisor) -> None:
    found = capabilities.probe(Host(), connection)
    assert capabilities.refusal(DomainSpec.model_validate({"nic": {"model": "e1000"}}), found) is None
    absent = DomainSpec.model_validate({"nic": {"model": "hostdev", "address": "0000:fe:1f.7"}})
    refused = capabilities.refusal(absent, found)
    assert refused is not None
    assert refused.remedy


def test_the_survey_tells_of_this_host(connection: Hypervisor) -> None:
    seen = survey.look(Host())
    assert seen.text("qemu-version").startswith("QEMU emulator version")
    assert connection.versions().qemu in seen.text("qemu-version")
