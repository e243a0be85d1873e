"""Rows about the rest of the host: vhost, huge pages, tun and bridge, the user, the disk; pure functions."""

from __future__ import annotations

import re

from domains.capabilities import model
from domains.capabilities.model import Capability
from domains.capabilities.survey import Survey
from domains.quantities import MIB, in_units

# Room for the guest image, its copy in the storage pool, an emulated host and a run.
_ROOM = 2048 * MIB
_GROUPS = ("libvirt", "kvm")


def rows(survey: Survey) -> list[Capability]:
    """Return the rows from ``vhost-net`` to ``disk-space``."""
    return [
        _vhost(survey),
        _hugepages(survey),
        _tun(survey),
        _bridge(survey),
        _tracepoints(survey),
        *_user(survey),
        _disk(survey),
    ]


def _vhost(survey: Survey) -> Capability:
    opened, reason = survey.opened("vhost-net")
    if opened == "opens":
        return model.yes("vhost-net", "/dev/vhost-net opens")
    if opened == "unknown":
        return _not_told("vhost-net")
    if opened == "refused":
        # QEMU gets the opened device from libvirt: this user's rights say nothing about the guest's.
        if "ermission" in reason:
            return model.yes("vhost-net", "/dev/vhost-net is there; libvirt opens it for the guest")
        remedy = "run: sudo modprobe vhost_net"
        cause = f"the kernel refuses it: {reason}"
        return model.no("vhost-net", "/dev/vhost-net does not open", cause=cause, remedy=remedy)
    evidence = "/dev/vhost-net is missing"
    if survey.can_load("vhost_net"):
        cause = "the module vhost_net is not loaded"
        return model.no("vhost-net", evidence, cause=cause, remedy="run: sudo modprobe vhost_net")
    remedy = "use a kernel with vhost_net (every distribution's has it); write vhost: off to measure without"
    return model.no(
        "vhost-net",
        evidence,
        cause="vhost_net is neither loaded nor among this kernel's modules",
        remedy=remedy,
    )


def _hugepages(survey: Survey) -> Capability:
    pools = survey.hugepages
    if not pools:
        cause = "/sys/kernel/mm/hugepages is empty or cannot be read"
        return model.unknown("hugepages", cause=cause, remedy="use a kernel with CONFIG_HUGETLBFS")
    evidence = ", ".join(f"{in_units(pool.size)}: {pool.free} of {pool.total} free" for pool in pools)
    if any(pool.free for pool in pools):
        return model.yes("hugepages", evidence)
    cause = "all are taken" if any(pool.total for pool in pools) else "none are reserved"
    remedy = "run: echo 256 | sudo tee /proc/sys/vm/nr_hugepages   (512 MiB of 2 MiB pages)"
    return model.no("hugepages", evidence, cause=cause, remedy=remedy)


def _tun(survey: Survey) -> Capability:
    opened, reason = survey.opened("tun")
    if opened == "opens":
        return model.yes("tun", "/dev/net/tun opens")
    if opened == "unknown":
        return _not_told("tun")
    if opened == "missing":
        remedy = "run: sudo modprobe tun"
        return model.no("tun", "/dev/net/tun is missing", cause="the driver tun is not loaded", remedy=remedy)
    cause = f"opening it was refused: {reason}"
    remedy = "in a container, pass /dev/net/tun on; else run: sudo chmod 0666 /dev/net/tun"
    return model.no("tun", "/dev/net/tun does not open", cause=cause, remedy=remedy)


def _bridge(survey: Survey) -> Capability:
    said = survey.text("bridge")
    there = f"; bridges here: {', '.join(sorted(survey.bridges))}" if survey.bridges else ""
    if said == "works":
        return model.yes("bridge", f"a bridge was made and removed in a network namespace{there}")
    if survey.bridges:
        return model.yes("bridge", there.removeprefix("; "))
    if said == "refused":
        cause = "the kernel refuses a bridge in a namespace where this user may make one"
        remedy = "run: sudo modprobe bridge"
        return model.no("bridge", "ip link add type bridge failed", cause=cause, remedy=remedy)
    cause = "no bridge exists, and without root none could be tried"
    return model.unknown("bridge", cause=cause, remedy="run `tdlab doctor` as root")


def _tracepoints(survey: Survey) -> Capability:
    said = dict(line.split(maxsplit=1) for line in survey.lines("tracepoints"))
    if not said:
        return _not_told("tracepoints")
    loaded = f"run: sudo modprobe kvm_{survey.vendor or 'intel'}; or {model.ELSEWHERE}"
    steps = (
        (
            "folder",
            "this kernel was built without tracing",
            f"use a distribution's kernel; or {model.ELSEWHERE}",
        ),
        ("mounted", "tracefs is not mounted", "run: sudo mount -t tracefs tracefs /sys/kernel/tracing"),
        (
            "root",
            "only root may read tracefs",
            "run tdlab as root, or let this user's sudo ask for no password",
        ),
        ("event", "the kernel has no event kvm:kvm_exit: KVM's module is not loaded, or another's", loaded),
        ("hist", "its histogram cannot be read: not built in, or the kernel is locked down", model.ELSEWHERE),
        (
            "instances",
            "tracefs is read-only here",
            "in a container, mount it writable; else run tdlab outside",
        ),
    )
    for word, cause, remedy in steps:
        if said.get(word) != "yes":
            evidence = "looked for kvm:kvm_exit in /sys/kernel/tracing"
            return model.no("tracepoints", evidence, cause=cause, remedy=remedy)
    return model.yes("tracepoints", "kvm:kvm_exit can be counted by reason in an instance of its own")


def _user(survey: Survey) -> list[Capability]:
    lines = survey.lines("user")
    if len(lines) < 2:
        return [_not_told("root"), _not_told("groups")]
    number, name, groups = lines[0], lines[1], " ".join(lines[2:]).split()
    if number == "0":
        return [model.yes("root", "user 0"), model.yes("groups", "root needs no groups")]
    if survey.text("sudo") == "yes":
        root = model.yes("root", f"{name} has sudo without a password")
    else:
        cause = "this user is not root, and sudo asks for a password or is missing"
        remedy = "only set-up needs root: run it with sudo, or have an administrator run it once"
        root = model.no("root", f"user {name}", cause=cause, remedy=remedy)
    missing = [group for group in _GROUPS if group not in groups]
    if not missing:
        return [root, model.yes("groups", f"{name} is in {' and '.join(_GROUPS)}")]
    cause = f"{name} is not in {' and '.join(missing)}"
    remedy = f"run: sudo usermod -aG {','.join(missing)} {name}   and log in again"
    return [root, model.no("groups", f"groups: {' '.join(groups)}", cause=cause, remedy=remedy)]


def _disk(survey: Survey) -> Capability:
    match = re.search(r"(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s+(\S+)$", survey.text("disk"))
    if not match:
        return _not_told("disk-space")
    free, mount = int(match[3]) * 1024, match[4]
    evidence = f"{free / 2**30:.1f} GiB free on {mount}, where libvirt keeps images"
    if free >= _ROOM:
        return model.yes("disk-space", evidence)
    cause = f"less than {in_units(_ROOM)} is free"
    return model.no("disk-space", evidence, cause=cause, remedy=f"make room on {mount}")


def _not_told(identity: str) -> Capability:
    cause = "the host did not tell: a program for it is missing there"
    return model.unknown(identity, cause=cause, remedy="install coreutils and util-linux on the host")
