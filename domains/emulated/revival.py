"""Restore an emulated host that stopped by itself, or that no longer answers."""

from __future__ import annotations

import contextlib
from pathlib import Path

from domains.emulated import lifecycle, postmortem, registry
from domains.emulated.emulator import Emulator
from domains.emulated.lifecycle import Furnish, Say
from domains.emulated.registry import Record
from domains.errors import DeadlineExceeded
from domains.hypervisor import connected

# On a busy machine a host that is well can be late by seconds, not by more.
_ANSWER_SECONDS = 30


def revive(name: str, say: Say, furnish: Furnish) -> bool:
    """Have a host up again that stopped by itself, or stopped answering; return whether it had.

    QEMU's emulation of nested SVM is young: rarely, the kernel of an emulated host panics or hangs in it.
    """
    record = registry.require(name)
    with connected() as outer:
        runs = outer.machine(record.plan.domain_name) is not None
        if runs and _answers(record):
            return False
        how = "no longer answers" if runs else "stopped by itself"
        say(f"the emulated host {name} {how} (its console's log may say why): it is restored")
        if runs:
            seen = postmortem.keep(record)
            say(f"what its processors were doing {f'is kept in {seen}' if seen else 'could not be had'}")
            lifecycle.down(outer, name)
        lifecycle.up(outer, record.plan, Emulator(Path(record.emulator), record.emulator_said), say, furnish)
    return True


def _answers(record: Record) -> bool:
    """Return whether a host that runs answers over SSH; the second time it is asked on a new connection."""
    for _ in range(2):
        # A host that is slow to say so is not well; anything else that breaks is no reason to end it.
        with contextlib.suppress(DeadlineExceeded):
            if registry.as_host(record).run(["true"], timeout=_ANSWER_SECONDS, check=False).status == 0:
                return True
        registry.close_ssh(record.plan.name)
    return False
