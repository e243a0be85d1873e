"""What a host can do, found by trying: rows with evidence, and with cause and remedy where it cannot.

The ids are stable words; other programs rely on them:

====================== =======================================================================================
``qemu``               QEMU for x86-64 is there, and which version
``libvirt``            libvirt answers this user
``kvm``                a Linux guest of ours booted under KVM within a deadline
``counters``           KVM's counters rose by what certainly happened in a guest
``cpu-vendor``         whose virtualisation extension the CPU could have
``cpu-extension``      the CPU shows VMX or SVM
``firmware``           the firmware leaves the extension enabled
``nested``             a guest under KVM may itself use VMX or SVM
``ept``                guests run on EPT (Intel) or RVI/NPT (AMD), not on shadow page tables
``iommu``              the kernel drives an IOMMU
``interrupt-remapping`` interrupts of devices are remapped by it
``iommu-groups``       devices are in groups that can be handed over
``sriov``              there is a PF that can have VFs
``passthrough-nic``    a NIC can be handed over without cutting the host off
``vhost-net``          virtio's rings can be served by the host kernel
``hugepages``          huge pages are reserved and free
``tun``, ``bridge``    the two devices that a guest's network needs
``tracepoints``        VM exits can be counted by hardware reason (the tracepoint kvm:kvm_exit, as root)
``nic:MODEL``          QEMU has this NIC model
``microvm``            QEMU has the machine type microvm
``qemu-bugs``          this QEMU has none of the bugs that tdlab knows of (a table that says where to look)
``root``               this user may become root without a password, for set-up
``groups``             this user is in the groups libvirt and kvm
``disk-space``         there is room for images
``image``              the tiny guest image is made
``emulated-host``      a QEMU for emulated lab hosts is known, and which (this machine, not remote hosts)
``host-image``         the disk of emulated lab hosts is built, or can be (this machine, not remote hosts)
====================== =======================================================================================

Status "yes" and "no" were seen; "unknown" could not be told, and says why.
"""

from domains.capabilities.kvm import choose
from domains.capabilities.model import Accelerator, Capabilities, Capability, Facts, Refused
from domains.capabilities.probe import probe
from domains.capabilities.suitability import refusal

__all__ = [
    "Accelerator",
    "Capabilities",
    "Capability",
    "Facts",
    "Refused",
    "choose",
    "probe",
    "refusal",
]
