"""Which accelerator guests get on a host: tried once, remembered after."""

from __future__ import annotations

from domains import locks
from domains.capabilities import trial, verdicts
from domains.capabilities.model import Accelerator, Capability
from domains.capabilities.survey import Survey
from domains.capabilities.trial import Say, Verdict
from domains.host import Host
from domains.hypervisor import Hypervisor

# Longer than the longest trial with the making of the guest image before it.
_LOCK_SECONDS = 1200


def choose(kvm: Capability) -> Accelerator:
    """Return the accelerator that follows from the row ``kvm``."""
    if kvm.status == "yes":
        return Accelerator("kvm", f"KVM works: {kvm.evidence}", kvm)
    doubt = "cannot be used" if kvm.status == "no" else "is not believed"
    return Accelerator("tcg", f"KVM {doubt}: {kvm.cause}", kvm)


def verdict(
    host: Host, hypervisor: Hypervisor | None, survey: Survey, key: str, *, refresh: bool, say: Say
) -> Verdict:
    """Return the verdict for this environment ``key``: plain, remembered, or that of a new trial."""
    if (plain := trial.without_trying(survey, hypervisor)) or hypervisor is None:
        assert plain is not None  # noqa: S101 (without libvirt there is nothing to try with)
        return plain
    file = verdicts.file_for(host.name)
    if not refresh and (kept := verdicts.recall(file, key)):
        return kept
    # Two trials at once would slow each other down, and a slow boot looks like none.
    with locks.held(file.with_suffix(".lock"), "what this host can do", _LOCK_SECONDS):
        if not refresh and (kept := verdicts.recall(file, key)):
            return kept
        found = trial.attempt(hypervisor.uri, survey, say)
        if found.final:
            verdicts.remember(file, key, found)
        return found
