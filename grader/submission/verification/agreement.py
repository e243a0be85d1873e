"""Whether what a cell of a run says can be true together: XML, devices, guest driver, counters, throughput.

A student can change one number in a report; to change all that goes with it takes knowing how it hangs
together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from grader.measure.run import CellResult, Measurement, Run

# The guest's driver for each model; a NIC handed over has that of its real chip, a VF one that ends in "vf".
_DRIVERS = {
    "i82557b": {"e100"},
    "e1000": {"e1000"},
    "e1000e": {"e1000e"},
    "rtl8139": {"8139cp", "8139too"},
    "pcnet": {"pcnet32"},
    "igb": {"igb"},
    "vmxnet3": {"vmxnet3"},
    "virtio": {"virtio_net", "virtio-pci"},
}
_HANDED_OVER = frozenset({"hostdev", "vf"})
_IMITATED = frozenset({"i82557b", "e1000", "e1000e", "rtl8139", "pcnet", "igb"})
_EXITS = ("exits_per_mb", "mmio_exits_per_mb", "pio_exits_per_mb", "halt_exits_per_mb", "exits_per_packet")
# Register accesses that leave the guest, per megabyte: none of virtio's ring or of a device handed over, and
# at least one for every 64 KiB segment that an imitated card is given. Between these lies a wide gap.
_MOST_OF_A_RING, _LEAST_OF_A_CARD = 20.0, 1.0
# An exit and the way back cost a thousand cycles and more (README of the exit-meter): no host makes more.
_MOST_EXITS_PER_SECOND = 8e6
# Medians of several metrics are of different rounds.
_ROUNDS = 1.1
_ROUNDING = 1e-3


def problem(cell: CellResult, run: Run) -> str | None:
    """Return the first thing in a measured cell that contradicts another, in one sentence, or None."""
    found = next(_problems(cell, run), None)
    return None if found is None else f"{cell.id}: {found}"


def _problems(cell: CellResult, run: Run) -> Iterator[str]:
    yield from _other_than_asked(cell)
    yield from _driver(cell)
    yield from _document(cell)
    for name, one in cell.measurements.items():
        yield from _samples(name, one, run)
    yield from _counters(cell)


def _other_than_asked(cell: CellResult) -> Iterator[str]:
    model = cell.spec.nic.model
    for said, where in ((cell.asked, "asked"), (cell.ran, "ran")):
        named = said.get("nic_model", model)
        if named != model:
            yield f"its spec names {model}, and {where} {_shown(named)}"
    for key in cell.asked.keys() & cell.ran.keys():
        wanted, had = cell.asked[key], cell.ran[key]
        # libvirt's names of machines are longer than those that are asked for.
        if key != "machine" and wanted not in (None, "any") and had != wanted:
            yield f"{key}: {_shown(wanted)} was asked for, and {_shown(had)} ran"


def _driver(cell: CellResult) -> Iterator[str]:
    driver, model = cell.ran.get("driver"), cell.spec.nic.model
    if not isinstance(driver, str):
        return
    known = _DRIVERS.get(model)
    imitated = set().union(*_DRIVERS.values()) - {"igb", "e1000e"}
    if (known and driver not in known) or (model in _HANDED_OVER and driver in imitated):
        yield f"the guest's driver is {_shown(driver)}, which drives no {model}"


def _document(cell: CellResult) -> Iterator[str]:
    """Compare with the live XML that libvirt gave; it is read without entities, and never run."""
    if not cell.xml or cell.spec.nic.model in _HANDED_OVER:
        return
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(cell.xml.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        yield "its XML cannot be read"
        return
    models = {one.get("type") for one in root.findall("devices/interface/model")}
    if models and cell.spec.nic.model not in models:
        yield f"its XML has {_shown(', '.join(map(str, sorted(map(str, models)))))} for a NIC"
    kvm, accelerator = root.get("type") == "kvm", cell.ran.get("accelerator")
    if accelerator in {"kvm", "tcg"} and kvm is not (accelerator == "kvm"):
        yield f"its XML is of type {_shown(root.get('type'))}, and {accelerator} ran"
    drivers = {one.get("name") for one in root.findall("devices/interface/driver")}
    vhost = cell.ran.get("vhost")
    if cell.spec.nic.model == "virtio" and drivers and vhost in {"on", "off"}:
        expected = "vhost" if vhost == "on" else "qemu"
        if expected not in drivers:
            yield f"its XML names the driver {_shown(', '.join(map(str, drivers)))}, and vhost was {vhost}"


def _samples(name: str, one: Measurement, run: Run) -> Iterator[str]:
    if not one.samples or not all(math.isfinite(value) and value >= 0 for value in one.samples):
        yield f"{name} holds no finite samples"
        return
    rounds = run.workload.get("repeats")
    if name != "boot_to_ready" and isinstance(rounds, int) and len(one.samples) > rounds:
        yield f"{name} has {len(one.samples)} samples of {rounds} rounds"
    if one.ci95 is not None:
        low, high = one.ci95
        slack = _ROUNDING * max(one.samples) + 1e-9
        if not min(one.samples) - slack <= low <= high <= max(one.samples) + slack:
            yield f"the interval of {name}, {low:g} to {high:g}, is not one of its samples"


def _counters(cell: CellResult) -> Iterator[str]:
    had = {name: one.median for name, one in cell.measurements.items()}
    counted = [name for name in _EXITS if name in had]
    accelerator, model = cell.ran.get("accelerator"), cell.spec.nic.model
    if accelerator == "tcg" and counted:
        yield f"{counted[0]} is {had[counted[0]]:g}, and TCG has no exits"
    total = had.get("exits_per_mb")
    if total is None:
        return
    parts = [had.get(name) for name in ("mmio_exits_per_mb", "pio_exits_per_mb")]
    registers = sum(one for one in parts if one is not None)
    if registers > _ROUNDS * total + 1:
        yield f"{registers:g} exits/MB at registers are more than the {total:g} in all"
    if (model == "virtio" or model in _HANDED_OVER) and registers > _MOST_OF_A_RING:
        yield f"{registers:g} exits/MB at registers are those of an imitated card, not of {model}"
    if model in _IMITATED and None not in parts and registers < _LEAST_OF_A_CARD:
        yield f"{registers:g} exits/MB at registers are too few for an imitated {model}"
    megabytes = max(had.get("tcp_to_guest", 0.0), had.get("tcp_from_guest", 0.0)) / 8
    if megabytes * total > _MOST_EXITS_PER_SECOND:
        yield f"{megabytes * total:.3g} exits a second are more than a processor makes"


def _shown(value: object) -> str:
    return str(value)[:60]
