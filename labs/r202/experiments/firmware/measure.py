"""What tells that the extension is switched off: on this host, and in two guests beside each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.experiments.result import Value
from grader.experiments.stage import Accelerator, Stage

HERE = Path(__file__).resolve().parent
# Each line prints one fact; the module's refusal goes to the kernel log.
_IN_GUEST = r"""
if grep -qw svm /proc/cpuinfo; then echo flag yes; else echo flag no; fi
said=$(modprobe kvm_amd 2>&1); echo "status $?"; echo "said $said"
if [ -e /dev/kvm ]; then echo device yes; else echo device no; fi
echo "log $(dmesg | grep -i -e svm -e kvm_amd -e 'kvm:' | tail -n 1)"
"""


def measure(stage: Stage) -> None:
    """Read the host's own signs, then those of a guest with SVM and of one without."""
    _host(stage)
    accelerator = _accelerator(stage)
    stage.asked(hidden="off", shown="on")
    seen = {name: _guest(stage, name, accelerator) for name in ("shown", "hidden")}
    stage.ran(**{name: "on" if facts["flag"] == "yes" else "off" for name, facts in seen.items()})
    stage.table("guests", [_row(name, facts) for name, facts in seen.items()])
    if accelerator == "tcg":
        stage.note("emulated")


def _host(stage: Stage) -> None:
    # The module only makes the register readable; where there is none, the register's row says so.
    stage.as_root(["modprobe", "-q", "msr"], check=False)
    text = stage.program(HERE / "switches.py", root=True).stdout
    stage.evidence("host.json", text)
    found = json.loads(text)
    register = found["register"]
    rows: list[dict[str, Value]] = [
        {"sign": "/proc/cpuinfo", "seen": found["flag"] or "-"},
        {"sign": "/dev/kvm", "seen": bool(found["dev_kvm"])},
        {"sign": "lsmod", "seen": " ".join(found["modules"]) or "-"},
        {"sign": f"MSR {register['number']} ({register['name']})", "seen": _told(register)},
        *({"sign": "dmesg", "seen": line} for line in found["kernel_log"][:5]),
    ]
    stage.table("host", rows)
    row = stage.capabilities["firmware"]
    stage.note("verdict", status=row.status, evidence=row.evidence or row.cause)


def _told(register: dict[str, Any]) -> str:
    if "value" not in register:
        return f"? ({register['why']})"
    allows = "allowed" if register["allows"] else "disabled"
    return f"{register['value']}: {allows}{', locked' if register['locked'] else ''}"


def _accelerator(stage: Stage) -> Accelerator:
    """Return what can show SVM to a guest: TCG anywhere; KVM, and much quicker, on an AMD host that nests."""
    nests = stage.survey.vendor == "amd" and stage.capabilities.has("nested")
    return "kvm" if nests and stage.accelerator == "kvm" else "tcg"


def _guest(stage: Stage, name: str, accelerator: Accelerator) -> dict[str, str]:
    nested: Literal["on", "off"] = "on" if name == "shown" else "off"
    spec = DomainSpec.model_validate(
        {"name": name, "accelerator": accelerator, "cpu": {"nested": nested, "vendor": "amd"}}
    )
    with stage.guest(spec, accelerator=accelerator) as domain:
        return _facts(stage, name, domain)


def _facts(stage: Stage, name: str, domain: Domain) -> dict[str, str]:
    text = domain.guest.shell(_IN_GUEST, timeout=60)
    stage.evidence(f"guest-{name}.txt", text)
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in text.splitlines())}


def _row(name: str, facts: dict[str, str]) -> dict[str, Value]:
    return {
        "guest": name,
        "flag": facts["flag"] == "yes",
        "loads": facts["status"] == "0",
        "device": facts["device"] == "yes",
        "said": re.sub(r"^\[[ .\d]+\] ", "", facts.get("log", "")) or facts.get("said"),
    }
