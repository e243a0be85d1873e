"""The Intel flavour of the emulated lab host: Bochs, which emulates VMX, the VMCS and EPT.

QEMU's TCG has SVM and no VMX. Bochs has both, is slow, and so is used as an appliance: it boots a small
Linux, runs short programs on its KVM, and answers over its serial line. ::

    with bochs.running(folder, say) as intel:           # a machine to give programs to
        answer = intel.run(Path("exit_meter.py"), ["--json"], parameters={"ept": "0"})

    result = bochs.run(["exit-meter"], folder=folder)   # or the experiments by name, in one boot
"""

from domains.bochs.appliance import CLOCK, Answer, Appliance, running
from domains.bochs.experiments import EXPERIMENTS, ApplianceResult, Finding, run
from domains.bochs.image import ApplianceImage, build

__all__ = [
    "CLOCK",
    "EXPERIMENTS",
    "Answer",
    "Appliance",
    "ApplianceImage",
    "ApplianceResult",
    "Finding",
    "build",
    "run",
    "running",
]
