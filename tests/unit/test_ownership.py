"""Who is alive: a process, unlike a later one with its number, a zombie, or one of another machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from domains import ownership, process, wait
from domains.render import NetworkPlan, Owner, render_network


@pytest.fixture
def mine() -> Owner:
    return ownership.this_process("run1")


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process that has ended and that nobody has waited for yet."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    wait.until(
        lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT), waiting_for="the child's end", deadline=10
    )
    yield pid
    os.waitpid(pid, 0)


def test_this_process_is_alive(mine: Owner) -> None:
    assert mine.pid == os.getpid()
    assert mine.started > 0
    assert ownership.is_alive(mine)


def test_a_process_that_ended_is_not() -> None:
    with process.started(["sleep", "60"]) as child:
        owner = replace(
            ownership.this_process("r"), pid=child.pid, started=ownership._started(child.pid) or 0
        )
        assert ownership.is_alive(owner)
    assert not ownership.is_alive(owner)


def test_a_zombie_is_not(mine: Owner, zombie: int) -> None:
    assert not ownership.is_alive(replace(mine, pid=zombie, started=0))
    assert ownership._started(zombie) is None


def test_a_later_process_with_the_same_number_is_not(mine: Owner) -> None:
    assert not ownership.is_alive(replace(mine, started=mine.started - 1))


def test_a_process_of_an_earlier_boot_is_not(mine: Owner) -> None:
    assert not ownership.is_alive(replace(mine, boot="00000000-0000-0000-0000-000000000000"))


def test_what_another_machine_made_is_left_to_it(mine: Owner) -> None:
    assert ownership.is_alive(replace(mine, machine="0" * 12, boot="another", pid=1, started=1))


def test_name_of_the_machine_does_not_give_its_identity_away(mine: Owner) -> None:
    assert len(mine.machine) == 12
    assert set(mine.machine) <= set("0123456789abcdef")


def test_run_ids_are_unlike_each_other_and_fit_an_interface_name() -> None:
    names = {ownership.new_run_id() for _ in range(100)}
    assert len(names) == 100
    assert all(len(f"tdl{name}") <= 15 for name in names)


def test_volume_names_are_read_again(mine: Owner) -> None:
    match = ownership._VOLUME.match(ownership.volume_name(mine, "x.qcow2"))
    assert match
    assert match.groupdict() == {
        "run": "run1",
        "pid": str(mine.pid),
        "started": str(mine.started),
        "machine": mine.machine,
    }


@pytest.mark.parametrize(
    "name", ["tdlab-disk.qcow2", "tdlab-run1.12.x-disk", "my-tdlab-r.1.2.ab-x", "tdlab-"]
)
def test_volumes_of_others_with_names_like_ours_are_not_ours(name: str) -> None:
    assert ownership._VOLUME.match(name) is None


def test_orphans_are_known_by_their_metadata(mine: Owner) -> None:
    def xml(owner: Owner | None) -> str:
        return render_network(NetworkPlan("tdlab-x", "b", "10.0.0.1", owner=owner))

    def is_orphan(owner: Owner | None, kept: frozenset[str] = frozenset()) -> bool:
        return ownership._is_orphan(ownership.owner_of(xml(owner)), kept)

    gone = replace(mine, started=1)
    assert not is_orphan(None)
    assert not is_orphan(mine)
    assert is_orphan(gone)
    assert not is_orphan(gone, frozenset({gone.run})), "a lab host that is up outlives the command"


def test_the_host_that_something_belongs_to_is_in_its_metadata() -> None:
    mine = replace(ownership.this_process("r1"), kept="lab")
    assert ownership.owner_of(render_network(NetworkPlan("tdlab-x", "b", "", owner=mine))) == mine


@pytest.mark.parametrize("attributes", ["", "pid='x' started='1'", "pid='1'", "pid='-1' started='1'"])
def test_metadata_that_tdlab_did_not_write_makes_no_orphan(attributes: str) -> None:
    namespace = "urn:tdlab:owner:1"
    xml = f"<network><metadata><o:owner xmlns:o='{namespace}' {attributes}/></metadata></network>"
    assert ownership.owner_of(xml) is None
