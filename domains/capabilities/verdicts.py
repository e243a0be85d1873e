"""Verdicts that cost a boot are remembered for each host, until something they depend on changes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from domains import files, paths
from domains.capabilities.model import Capability
from domains.capabilities.survey import Survey
from domains.capabilities.trial import Verdict

SCHEMA = "tdlab.verdicts/1"
# Raised whenever the trial itself changes: an older trial's verdict is then worth nothing.
PROBE_VERSION = 1


def environment(survey: Survey, libvirt_version: str | None) -> str:
    """Return a digest (16 hex digits) of all that the verdicts about KVM and its counters depend on."""
    depends_on = {
        "probe": PROBE_VERSION,
        "kernel": survey.text("kernel"),
        # Firmware settings, microcode and module parameters of a boot; a reboot may have changed any of them.
        "boot": survey.text("boot"),
        "microcode": survey.cpu.get("microcode", ""),
        "modules": sorted((name, sorted(settings.items())) for name, settings in survey.modules.items()),
        "kvm": survey.text("kvm"),
        "user": survey.text("user"),
        "qemu": [survey.text("qemu-version"), survey.text("qemu-file")],
        "libvirt": libvirt_version,
    }
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]


def file_for(host: str) -> Path:
    """Return where the verdicts about a host are kept."""
    return paths.cache() / f"verdicts-{re.sub(r'[^A-Za-z0-9._-]', '_', host)}.json"


def recall(file: Path, key: str) -> Verdict | None:
    """Return the verdict that was remembered for this environment, or None when there is none that holds."""
    try:
        kept = json.loads(file.read_text())
        if kept["schema"] != SCHEMA or kept["environment"] != key:
            return None
        return Verdict(Capability(**kept["kvm"]), Capability(**kept["counters"]), final=True)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # A file that cannot be read holds nothing: trying again is slower and just as right.
        return None


def remember(file: Path, key: str, verdict: Verdict) -> None:
    """Keep a verdict; the file is whole at every moment."""
    kept = {
        "schema": SCHEMA,
        "environment": key,
        "kvm": verdict.kvm.as_dict(),
        "counters": verdict.counters.as_dict(),
    }
    files.write_whole(file, json.dumps(kept, indent=1) + "\n")
