"""The words of the report: what metrics, units, NIC models and outcomes are called (English is the msgid)."""

from __future__ import annotations

from domains.spec import EMULATED_NICS
from grader.language.i18n import N_
from grader.results.result import Outcome

METRIC_NAMES = {
    "tcp_to_guest": N_("throughput to the guest"),
    "tcp_from_guest": N_("throughput from the guest"),
    "rtt": N_("round-trip time"),
    "rtt_p99": N_("round-trip time, 99th percentile"),
    "boot_to_ready": N_("from start to ready"),
    "host_cpu_per_gb": N_("host CPU time per GB"),
    "exits_per_mb": N_("exits"),
    "mmio_exits_per_mb": N_("exits for device memory (MMIO)"),
    "pio_exits_per_mb": N_("exits for I/O ports (PIO)"),
    "halt_exits_per_mb": N_("exits because the guest idles"),
    "irq_injections_per_mb": N_("interrupts injected"),
    "page_faults_per_mb": N_("page faults taken by the hypervisor"),
    "exits_per_packet": N_("exits per packet"),
    "exit_reasons": N_("exits by hardware reason"),
}

UNITS = {
    "Mbit/s": N_("Mbit/s"),
    "us": N_("µs"),
    "s": N_("s"),
    "s/GB": N_("s per GB"),
    "1/MB": N_("per MB"),
    "1/packet": N_("per packet"),
}

# vmxnet3 is made by QEMU like the emulated chips, but it was designed for guests: no such chip exists.
_KIND = {model: N_("emulated") for model in EMULATED_NICS} | {
    "virtio": N_("paravirtual"),
    "vmxnet3": N_("paravirtual (VMware’s)"),
    "hostdev": N_("a PCI device handed over"),
    "vf": N_("SR-IOV virtual function"),
}

EXIT_KINDS = {
    "mmio": N_("device memory (MMIO)"),
    "pio": N_("I/O ports (PIO)"),
    "other": N_("other"),
    "all": N_("all kinds"),
}

EXIT_SHORT = {"mmio": N_("MMIO"), "pio": N_("PIO"), "other": N_("other"), "all": N_("all kinds")}

OUTCOMES = {
    Outcome.PASS: N_("right"),
    Outcome.PARTIAL: N_("partly right"),
    Outcome.FAIL: N_("wrong"),
    Outcome.INCONCLUSIVE: N_("for the teacher"),
    Outcome.ERROR: N_("our error"),
    Outcome.SKIPPED: N_("could not be asked"),
}

STATUSES = {"skipped": N_("skipped"), "error": N_("error"), "measured": N_("measured")}

# What came out of a claim of the TD.
VERDICTS = {
    "holds": N_("It holds."),
    "not": N_("It does not hold here."),
    "open": N_("It cannot be told."),
    "unmeasured": N_("Not measured."),
}

# The facts that tdlab records about a host; a fact without a name here is shown under its key.
FACTS = {
    "cpu": N_("processor"),
    "microcode": N_("microcode"),
    "kernel": N_("kernel of the host"),
    "guest_kernel": N_("kernel of the guest"),
    "qemu": N_("QEMU"),
    "libvirt": N_("libvirt"),
    "governor": N_("frequency governor"),
    "frequency_driver": N_("driver of the frequency"),
    "frequency_max_khz": N_("highest frequency, kHz"),
    "turbo": N_("turbo"),
    "smt": N_("two threads a core (SMT)"),
    "transparent_hugepages": N_("transparent huge pages"),
    "load": N_("load at the start"),
    "accelerator_why": N_("why this accelerator"),
    "cpus": N_("processors"),
    "distribution": N_("distribution"),
    "host": N_("host"),
    "emulator": N_("emulator of the host"),
    "iperf3": N_("iperf3"),
    "kernel_arguments": N_("kernel arguments"),
    "memory_kib": N_("memory, KiB"),
    "virtual": N_("itself a virtual machine"),
    "machine": N_("machine type"),
    "memory_mib": N_("memory, MiB"),
    "vcpus": N_("vCPUs"),
    "seconds": N_("seconds each way"),
    "warmup": N_("seconds of warm-up"),
    "repeats": N_("rounds"),
    "pings": N_("round trips each round"),
    "accelerator": N_("accelerator"),
    "nic_model": N_("NIC model"),
    "vhost": N_("vhost"),
    "ept": N_("EPT or RVI"),
    "driver": N_("driver in the guest"),
    "device": N_("PCI device handed over"),
    "host_driver": N_("its driver on the host"),
    "iommu_group": N_("its IOMMU group"),
    "pf": N_("PF of the VF"),
    "facing": N_("the host’s interface to it"),
    "image": N_("image of the guest"),
    "channel": N_("channel into the guest"),
}


def kind(model: str) -> str:
    """Return what sort of NIC a model is (a msgid)."""
    return _KIND[model]
