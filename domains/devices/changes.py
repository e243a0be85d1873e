"""Changes of a host's devices, each owned by a ``with`` block that puts back what was before.

A record on the host tells what was before, see :mod:`domains.devices.records`; :func:`put_back` is for those
whose process was killed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from domains import ownership
from domains.devices import essential, records
from domains.devices.choice import in_use
from domains.devices.model import VFIO, Inventory, PciDevice
from domains.devices.records import Record
from domains.devices.steps import NOTHING, Step, carry_out
from domains.devices.survey import look
from domains.errors import CapabilityMissing, InfrastructureError, TdlabError, UsageError
from domains.host import Host
from domains.ownership import Leftover
from domains.render import Owner


@contextlib.contextmanager
def vfs(
    host: Host,
    pf: str,
    count: int,
    *,
    owner: Owner | None = None,
    autoprobe: bool = False,
    seen: Inventory | None = None,
) -> Iterator[tuple[PciDevice, ...]]:
    """Own ``count`` VFs of a PF (by its address) and yield them; the former number is put back.

    Without ``autoprobe`` the host's drivers leave the new VFs alone. The PF's interface is up meanwhile.
    A PF that has as many already is left as it is. Raises :class:`UsageError` when the PF cannot make so
    many, is essential, or its VFs are in use. ``seen``: a look at the host that was just taken.
    """
    seen = seen or look(host)
    device = seen.device(pf)
    if len(device.vfs) == count:
        yield seen.vfs(device)
        return
    refuse_vfs(seen, device, count)
    down = [name for name in device.interfaces if (one := seen.interface(name)) and not one.is_up]
    before = {
        "count": len(device.vfs),
        "autoprobe": device.autoprobe,
        "drivers": {vf.address: vf.driver for vf in seen.vfs(device)},
        "down": down,
    }
    record = Record("vfs", pf, owner or _anybody(), before)
    steps = (*(("link", name, "up") for name in down), *_vf_steps(device, count, autoprobe))
    with changed(host, record, steps, what=f"make {count} VFs of {device}"):
        made = look(host)
        found = made.vfs(made.device(pf))
        if len(found) != count:
            raise InfrastructureError(f"{device} was told to make {count} VFs, and has {len(found)}")
        yield found


@contextlib.contextmanager
def bound(
    host: Host,
    device: str,
    *,
    driver: str = VFIO,
    owner: Owner | None = None,
    seen: Inventory | None = None,
) -> Iterator[PciDevice]:
    """Own the binding of a device (by its address) to a driver; the former driver is put back.

    The binding is read back before the device is yielded; one that is bound so already is left as it is. A
    NIC's interface gets its name, state and addresses back. Raises :class:`UsageError` for a device that is
    essential, held by a guest, or a PF that has VFs. ``seen``: a look at the host that was just taken.
    """
    seen = seen or look(host)
    found = seen.device(device)
    if found.driver == driver and not found.is_held:
        yield found
        return
    refuse_binding(seen, found, driver)
    interfaces = [one for name in found.interfaces if (one := seen.interface(name))]
    before = {
        "driver": found.driver,
        "override": found.override,
        "interfaces": {one.name: {"up": one.is_up, "addresses": list(one.addresses)} for one in interfaces},
    }
    record = Record("binding", device, owner or _anybody(), before)
    steps: tuple[Step, ...] = (("bind", device, driver, driver), ("bound", device, driver))
    with changed(host, record, steps, what=f"bind {found} to {driver}"):
        yield replace(found, driver=driver, override=driver, interfaces=())


@contextlib.contextmanager
def raised(
    host: Host, interface: str, *, owner: Owner | None = None, seen: Inventory | None = None
) -> Iterator[None]:
    """Own an interface being up; one that was down is taken down again, one that was up is left alone.

    Raises :class:`UsageError` when the host has no such interface.
    """
    found = (seen or look(host)).interface(interface)
    if found is None:
        raise UsageError(f"{host.name} has no network interface {interface}", remedy="see `ip link` there")
    if found.is_up:
        yield
        return
    record = Record("link", interface, owner or _anybody(), {"up": False})
    with changed(host, record, (("link", interface, "up"),), what=f"bring {interface} up"):
        yield


@contextlib.contextmanager
def addressed(
    host: Host, interface: str, address: str, *, peer: str | None = None, owner: Owner | None = None
) -> Iterator[None]:
    """Own an address on an interface of the host: ADDRESS/PREFIX, or point to point with one ``peer``.

    With a peer only the peer is reached through the interface, so that the address may be one that the host
    has elsewhere too: the guest behind a VF is on its run's subnet, and yet behind another NIC than the rest.
    """
    before = {"interface": interface, "address": address, "peer": peer}
    # The peer makes the record's name: an interface may carry an address for each guest behind it.
    record = Record(
        "address", f"{interface}={(peer or address).replace('/', '_')}", owner or _anybody(), before
    )
    steps: tuple[Step, ...] = (("address", interface, address, peer or NOTHING),)
    with changed(host, record, steps, what=f"give {interface} the address {address}"):
        yield


def put_back(host: Host, *, everything: bool = False) -> list[Leftover]:
    """Put back what changes by killed processes left on a host, and return what was put back.

    ``everything`` also undoes changes by other machines' processes and by living ones. Costs one round trip
    where there is nothing to do.
    """
    done = []
    for record in records.read(host):
        if everything or records.is_orphan(record):
            carry_out(host, record.undo(), what=f"put back the {record}")
            done.append(Leftover("change of the", str(record)))
    return done


def refuse_vfs(seen: Inventory, pf: PciDevice, count: int) -> None:
    """Raise what speaks against another number of VFs of this PF."""
    if not pf.is_pf:
        raise UsageError(
            f"{pf} is no PF: it has no SR-IOV capability", remedy="the row sriov of `tdlab doctor` lists PFs"
        )
    if not 0 <= count <= (pf.vf_total or 0):
        raise UsageError(f"{pf} can make {pf.vf_total} VFs, not {count}", remedy="ask for fewer")
    if pf.driver in {None, VFIO}:
        raise CapabilityMissing(
            f"{pf}: VFs are made by the PF's own driver, and it is not bound to it",
            remedy=f"bind it to {' or '.join(pf.modules) or 'its driver'} first",
        )
    _refuse_essential(seen, pf)
    for vf in seen.vfs(pf):
        use = "is in a guest's hands" if vf.is_held or vf.driver == VFIO else in_use(seen, vf)
        if use:
            raise UsageError(f"the VFs of {pf} cannot be remade: {vf} {use}", remedy="free that VF first")


def refuse_binding(seen: Inventory, device: PciDevice, driver: str = VFIO) -> None:
    """Raise what speaks against taking this device from its driver."""
    if driver == VFIO and device.iommu_group is None:
        raise CapabilityMissing(
            f"{device} is in no IOMMU group: VFIO hands over only what an IOMMU confines",
            remedy="see the rows iommu and iommu-groups of `tdlab doctor`",
        )
    _refuse_essential(seen, device)
    if device.is_held:
        raise UsageError(f"{device} is held by a guest", remedy="end that guest first")
    if device.vfs:
        raise UsageError(
            f"{device} has {len(device.vfs)} VFs, which would go with it", remedy="remove its VFs first"
        )


def _refuse_essential(seen: Inventory, device: PciDevice) -> None:
    if reason := essential.reason(seen, device):
        raise UsageError(
            f"{device} must stay with {seen.host}: it {reason}",
            remedy="name a device that the host can spare",
        )


def _vf_steps(pf: PciDevice, count: int, autoprobe: bool) -> tuple[Step, ...]:
    folder = f"/sys/bus/pci/devices/{pf.address}"
    steps: list[Step] = []
    if pf.autoprobe is not None:
        steps.append(("write", f"{folder}/sriov_drivers_autoprobe", str(int(autoprobe))))
    if pf.vfs:  # the kernel refuses to go from one number to another
        steps.append(("write", f"{folder}/sriov_numvfs", "0"))
    if count:
        steps.append(("write", f"{folder}/sriov_numvfs", str(count)))
    return tuple(steps)


@contextlib.contextmanager
def changed(host: Host, record: Record, steps: tuple[Step, ...], *, what: str) -> Iterator[None]:
    """Own a change: the record first, then the steps; whatever happens, the record's undoing at the end."""
    try:
        carry_out(host, (("keep", record.name, record.to_json()), *steps), what=what)
    except UsageError:
        raise  # the record that is there is another's, and so is what it would put back
    except BaseException:
        # What stopped the change is to be told. Where it stops the undoing too, the record stays for later.
        with contextlib.suppress(TdlabError):
            carry_out(host, record.undo(), what=f"put back the {record}")
        raise
    try:
        yield
    finally:
        carry_out(host, record.undo(), what=f"put back the {record}")


def _anybody() -> Owner:
    return ownership.this_process(ownership.new_run_id())
