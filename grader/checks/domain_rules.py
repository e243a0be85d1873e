"""What may stand in a student's domain, which values it may hold, and why the rest may not.

Paths lead from ``domain`` down to an element; ``@`` leads to an attribute. What is not listed is refused.
"""

from __future__ import annotations

import re

from domains.quantities import EMULATED_NICS
from grader.language.bilingual import Bilingual, both


def _none() -> frozenset[str]:
    return frozenset()


def _some(*names: str) -> frozenset[str]:
    return frozenset(names)


_DEVICES = "domain/devices"
_INTERFACE = f"{_DEVICES}/interface"
_PCI_ADDRESS = _some("type", "domain", "bus", "slot", "function", "multifunction")

# Element → its attributes.
ALLOWED: dict[str, frozenset[str]] = {
    "domain": _some("type"),
    "domain/name": _none(),
    "domain/uuid": _none(),
    "domain/title": _none(),
    "domain/description": _none(),
    "domain/memory": _some("unit"),
    "domain/currentMemory": _some("unit"),
    "domain/vcpu": _some("placement"),
    "domain/os": _none(),
    "domain/os/type": _some("arch", "machine"),
    "domain/os/boot": _some("dev"),
    "domain/features": _none(),
    "domain/features/acpi": _none(),
    "domain/features/apic": _none(),
    "domain/features/ioapic": _some("driver"),
    "domain/cpu": _some("mode", "match", "check", "migratable"),
    "domain/cpu/model": _some("fallback"),
    "domain/cpu/feature": _some("policy", "name"),
    "domain/clock": _some("offset"),
    "domain/clock/timer": _some("name", "tickpolicy", "present"),
    "domain/on_poweroff": _none(),
    "domain/on_reboot": _none(),
    "domain/on_crash": _none(),
    _DEVICES: _none(),
    _INTERFACE: _some("type"),
    f"{_INTERFACE}/mac": _some("address"),
    f"{_INTERFACE}/source": _some("network"),
    f"{_INTERFACE}/model": _some("type"),
    f"{_INTERFACE}/driver": _some("name", "queues"),
    f"{_INTERFACE}/link": _some("state"),
    f"{_INTERFACE}/address": _PCI_ADDRESS,
    f"{_DEVICES}/controller": _some("type", "index", "model"),
    f"{_DEVICES}/controller/address": _PCI_ADDRESS,
    f"{_DEVICES}/controller/model": _some("name"),
    f"{_DEVICES}/controller/target": _some("chassis", "port", "hotplug"),
    f"{_DEVICES}/serial": _some("type"),
    f"{_DEVICES}/serial/target": _some("type", "port"),
    f"{_DEVICES}/serial/target/model": _some("name"),
    f"{_DEVICES}/console": _some("type"),
    f"{_DEVICES}/console/target": _some("type", "port"),
    f"{_DEVICES}/input": _some("type", "bus"),
    f"{_DEVICES}/memballoon": _some("model"),
    f"{_DEVICES}/memballoon/address": _PCI_ADDRESS,
    f"{_DEVICES}/iommu": _some("model"),
    f"{_DEVICES}/iommu/driver": _some("intremap", "caching_mode"),
}

# Of these there may be several beside each other; of all others, two say that one of them is not meant.
REPEATED = _some(
    _INTERFACE,
    f"{_DEVICES}/controller",
    f"{_DEVICES}/serial",
    f"{_DEVICES}/console",
    f"{_DEVICES}/input",
    "domain/os/boot",
    "domain/cpu/feature",
    "domain/clock/timer",
)
# libvirt's names of virtio: with and without its old form, the same device to a driver.
VIRTIO = _some("virtio-transitional", "virtio-non-transitional", "virtio-net-pci")

_FORMS = (("", 1024), ("ib", 1024), ("b", 1000))
# Where a part of a spec stands in a document.
STANDS = {
    "name": "name",
    "memory": "memory",
    "vcpus": "vcpu",
    "machine": "os/type",
    "iommu": "devices/iommu",
}
# In small letters: to libvirt, all cases are one.
UNITS = {"b": 1, "byte": 1, "bytes": 1}
UNITS |= {f"{letter}{form}": base**power for power, letter in enumerate("kmgt", 1) for form, base in _FORMS}

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SMALL = re.compile(r"[1-9][0-9]{0,2}")
_SIZE = re.compile(r"0*[1-9][0-9]{0,11}")
_HEX = re.compile(r"(0x[0-9a-fA-F]{1,4})?")
_SIZE_UNIT = re.compile("|".join(UNITS), re.IGNORECASE)
_YES = re.compile(r"on|off|yes|no")

# Where a value is used, or could be misused, it must have this form.
VALUES: dict[str, re.Pattern[str]] = {
    "domain@type": re.compile(r"kvm|qemu"),
    "domain/name": _WORD,
    "domain/memory": _SIZE,
    "domain/memory@unit": _SIZE_UNIT,
    "domain/currentMemory": _SIZE,
    "domain/currentMemory@unit": _SIZE_UNIT,
    "domain/vcpu": _SMALL,
    "domain/os/type": re.compile(r"hvm"),
    "domain/os/type@machine": re.compile(r"q35|pc|microvm|pc-(q35|i440fx)-[A-Za-z0-9._-]{1,32}"),
    "domain/os/type@arch": re.compile(r"x86_64"),
    "domain/os/boot@dev": re.compile(r"hd|network|cdrom"),
    "domain/cpu@mode": re.compile(r"host-model|host-passthrough|maximum|custom"),
    "domain/cpu/model": _WORD,
    "domain/cpu/feature@name": _WORD,
    f"{_INTERFACE}@type": re.compile(r"network|user"),
    f"{_INTERFACE}/mac@address": re.compile(r"[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}"),
    f"{_INTERFACE}/source@network": _WORD,
    f"{_INTERFACE}/model@type": re.compile("|".join([*EMULATED_NICS, "virtio", *sorted(VIRTIO)])),
    f"{_INTERFACE}/driver@name": re.compile(r"qemu|vhost"),
    f"{_INTERFACE}/driver@queues": re.compile(r"[1-9][0-9]?"),
    f"{_INTERFACE}/link@state": re.compile(r"up|down"),
    f"{_INTERFACE}/address@type": re.compile(r"pci"),
    f"{_DEVICES}/controller@type": re.compile(r"pci|usb|virtio-serial|sata|ide|scsi"),
    f"{_DEVICES}/controller/address@type": re.compile(r"pci"),
    f"{_DEVICES}/serial@type": re.compile(r"pty"),
    f"{_DEVICES}/console@type": re.compile(r"pty"),
    f"{_DEVICES}/input@type": re.compile(r"mouse|keyboard|tablet"),
    f"{_DEVICES}/memballoon@model": re.compile(r"virtio|none"),
    f"{_DEVICES}/memballoon/address@type": re.compile(r"pci"),
    f"{_DEVICES}/iommu@model": re.compile(r"intel"),
    f"{_DEVICES}/iommu/driver@intremap": _YES,
    f"{_DEVICES}/iommu/driver@caching_mode": _YES,
}
VALUES |= {f"{_INTERFACE}/address@{part}": _HEX for part in ("domain", "bus", "slot", "function")}


_HOST_FILE = both(
    "it names a file, a folder or a device of the host; the lab brings its own",
    "il nomme un fichier, un dossier ou un périphérique de l'hôte ; le TD apporte les siens",
)
_HOST_DEVICE = both(
    "it takes a device away from the host, and none is leased to you",
    "il retire un périphérique à l'hôte, et aucun ne vous est prêté",
)
_CHARACTER = both(
    "only a pty is allowed here: no file, socket or device of the host",
    "seul un pty est permis ici : ni fichier, ni socket, ni périphérique de l'hôte",
)

# Path, path@attribute, or bare element name → why it is refused; "{" stands for any namespace.
DANGERS: dict[str, Bilingual] = {
    "{": both(
        "elements of another namespace reach QEMU past libvirt's checks",
        "les éléments d'un autre espace de noms atteignent QEMU sans contrôle de libvirt",
    ),
    "emulator": both(
        "libvirt runs the program named here, even without starting the guest",
        "libvirt exécute le programme nommé ici, même sans démarrer l'invité",
    ),
    "seclabel": both(
        "it would switch off the guest's confinement", "il couperait le confinement de l'invité"
    ),
    "hostdev": _HOST_DEVICE,
    "disk": _HOST_FILE,
    "filesystem": _HOST_FILE,
    "kernel": _HOST_FILE,
    "initrd": _HOST_FILE,
    "cmdline": _HOST_FILE,
    "loader": _HOST_FILE,
    "nvram": _HOST_FILE,
    "dtb": _HOST_FILE,
    "rom": _HOST_FILE,
    "script": _HOST_FILE,
    "memoryBacking": _HOST_FILE,
    "rng": _HOST_FILE,
    "tpm": _HOST_FILE,
    "channel": _CHARACTER,
    "parallel": _CHARACTER,
    "redirdev": _HOST_DEVICE,
    f"{_DEVICES}/serial@type": _CHARACTER,
    f"{_DEVICES}/console@type": _CHARACTER,
    f"{_DEVICES}/serial/source": _CHARACTER,
    f"{_DEVICES}/console/source": _CHARACTER,
    f"{_INTERFACE}@type": both(
        "only type network or user is allowed: the others touch the host's own interfaces",
        "seuls les types network et user sont permis : les autres touchent aux interfaces de l'hôte",
    ),
    f"{_INTERFACE}/driver@name": both(
        "name is qemu (vhost off) or vhost (vhost on)", "name vaut qemu (sans vhost) ou vhost (avec vhost)"
    ),
    "domain@type": both("type is kvm or qemu", "type vaut kvm ou qemu"),
    f"{_INTERFACE}/model@type": both(
        f"the models of this lab are virtio, {', '.join(EMULATED_NICS)}",
        f"les modèles de ce TD sont virtio, {', '.join(EMULATED_NICS)}",
    ),
    f"{_INTERFACE}/mac@address": both(
        "a MAC address is six pairs of hexadecimal digits, the first of them even",
        "une adresse MAC est faite de six paires de chiffres hexadécimaux, et son premier octet est pair",
    ),
    "domain/os/type@machine": both(
        "machine is q35, pc or microvm, or a version of these",
        "machine vaut q35, pc ou microvm, ou une version",
    ),
    "domain/memory": both("memory is a number above 0", "memory est un nombre supérieur à 0"),
    "domain/vcpu": both("vcpu is a number from 1 to 999", "vcpu est un nombre de 1 à 999"),
    "domain/name": both(
        "a name is letters, digits, dots and dashes",
        "un nom se compose de lettres, chiffres, points et tirets",
    ),
}
TWICE = both("it stands there twice: which one is meant?", "il y figure deux fois : lequel compte ?")
NO_VHOST = both(
    "type user has no vhost: write type='network'", "le type user n'a pas vhost : écrivez type='network'"
)
OTHER_ELEMENT = both("not among the elements that this lab allows", "absent des éléments permis par ce TD")
OTHER_ATTRIBUTE = both(
    "an attribute or a value that this lab does not allow",
    "un attribut ou une valeur que ce TD ne permet pas",
)
SAME_ADDRESS = both(
    "another interface of this domain has the same MAC address",
    "une autre interface de ce domaine a la même adresse MAC",
)
