"""All rows of one host together: one look, and one trial where no verdict is remembered."""

from __future__ import annotations

import dataclasses

from domains import images
from domains.capabilities import cpu, emulated, emulator, kvm, model, pci, system, verdicts
from domains.capabilities import survey as surveys
from domains.capabilities.model import Capabilities, Capability, Facts
from domains.capabilities.survey import Survey
from domains.capabilities.trial import Say
from domains.errors import InfrastructureError, TdlabError
from domains.host import Host
from domains.hypervisor import Hypervisor


def probe(
    host: Host,
    hypervisor: Hypervisor | None,
    *,
    refresh: bool = False,
    say: Say = lambda _: None,
    no_libvirt: TdlabError | None = None,
) -> Capabilities:
    """Return what a host can do. The first time this boots a guest for some seconds, as ``refresh`` does.

    Without a connection, ``no_libvirt`` says why there is none. ``say`` gets a sentence when something that
    takes time begins. Raises :class:`InfrastructureError` only when the host cannot be asked at all.
    """
    survey = surveys.look(host)
    systems = system.rows(survey)
    libvirt, version, networks = _libvirt(hypervisor, no_libvirt)
    groups = next(row for row in systems if row.id == "groups")
    if libvirt.status == "no" and survey.text("qemu-file") and groups.status == "no":
        # libvirt's own words for a user it does not know are about a bus; what helps is the group.
        libvirt = dataclasses.replace(libvirt, remedy=groups.remedy)
    key = verdicts.environment(survey, version)
    verdict = kvm.verdict(host, hypervisor, survey, key, refresh=refresh, say=say)
    rows = [
        verdict.kvm,
        *cpu.rows(survey),
        verdict.counters,
        *pci.rows(survey),
        *systems,
        libvirt,
        *emulator.rows(survey),
        _image(),
        # Emulated hosts are started from here, whichever host is asked about.
        *([emulated.row(), emulated.image_row()] if host.ssh is None else []),
    ]
    return Capabilities(host.name, key, tuple(rows), facts(survey, networks))


def facts(survey: Survey, networks: frozenset[str] | None) -> Facts:
    """Return what a spec is held against, from a survey and the names of libvirt's networks."""
    module = survey.kvm_module
    return Facts(
        vendor=survey.vendor,
        module=module,
        two_tables=survey.parameter("npt" if module == "kvm_amd" else "ept"),
        cpus=survey.cpus,
        devices=emulator.devices(survey),
        machines=emulator.machines(survey),
        pci=survey.pci,
        management=survey.management,
        bridges=survey.bridges if survey.text("interfaces") else None,
        networks=networks,
        hugepages=survey.hugepages,
        memory_total=survey.memory_total,
    )


def _libvirt(
    hypervisor: Hypervisor | None, why: TdlabError | None
) -> tuple[Capability, str | None, frozenset[str] | None]:
    """Return the row ``libvirt``, its version, and the names of its networks."""
    remedy = "run ./tdlab once as root: set-up installs and starts it"
    if hypervisor is None:
        cause = why.problem if why else "no connection was made"
        remedy = (why.remedy if why else None) or remedy
        return model.no("libvirt", "no connection", cause=cause, remedy=remedy), None, None
    try:
        versions, networks = hypervisor.versions(), frozenset(hypervisor.networks())
    except InfrastructureError as broken:
        cause, remedy = broken.problem, broken.remedy or "restart libvirtd, then try again"
        return model.no("libvirt", f"connected to {hypervisor.uri}", cause=cause, remedy=remedy), None, None
    return model.yes("libvirt", f"{versions.libvirt} answers at {hypervisor.uri}"), versions.libvirt, networks


def _image() -> Capability:
    image = images.where()
    if image:
        return model.yes("image", f"{image.folder}, kernel {image.release}")
    cause = "the tiny guest image is not made yet"
    return model.no(
        "image", "looked for it in the cache", cause=cause, remedy="`tdlab demo` and `tdlab bench` make it"
    )
