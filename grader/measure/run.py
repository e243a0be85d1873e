"""A run: cells, what was asked of them, what really ran, and every sample (schema ``tdlab.run/1``).

This is the contract between measuring, grading and reporting, and with other programs: it is what
``report.json`` holds. All models are frozen; a run on disk can be read again without starting a guest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domains.errors import UsageError
from domains.spec import DomainSpec

SCHEMA = "tdlab.run/1"

# Every metric, its unit, and what it means; reports and checks know no others.
METRICS: dict[str, str] = {
    "tcp_to_guest": "Mbit/s",
    "tcp_from_guest": "Mbit/s",
    "rtt": "us",
    "rtt_p99": "us",
    "boot_to_ready": "s",
    "host_cpu_per_gb": "s/GB",
    "exits_per_mb": "1/MB",
    "mmio_exits_per_mb": "1/MB",
    "pio_exits_per_mb": "1/MB",
    "halt_exits_per_mb": "1/MB",
    "irq_injections_per_mb": "1/MB",
    "page_faults_per_mb": "1/MB",
    "exits_per_packet": "1/packet",
}

Status = Literal["measured", "skipped", "error"]


class Record(BaseModel):
    """Frozen, and strict about keys: evidence that nobody reads is evidence that nobody checks."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stamp(Record):
    """In whose workspace something was measured: its lab, student and nonce, and the history until then.

    ``after`` is the hash of the last line of the workspace's history when the measuring began.
    """

    lab: str
    student: str
    nonce: str
    after: str


class Measurement(Record):
    """One metric of one cell: all its samples in the order of measuring, warm-ups apart.

    ``ci95`` is the bootstrap 95 % interval of the median, in ``unit``, and ``cv`` the coefficient of
    variation of the samples, in per cent; both None with fewer than three samples.
    """

    unit: str
    samples: tuple[float, ...]
    median: float
    ci95: tuple[float, float] | None = None
    cv: float | None = None
    warmups: tuple[float, ...] = ()


class ExitReason(Record):
    """How often the hardware gave one reason to leave the guest; ``code`` as its manual prints it."""

    code: str
    name: str
    count: int
    per_mb: float


class ExitReasons(Record):
    """Exits by hardware reason, most frequent first, in a transfer of its own: tracing slows it.

    ``extension`` says whose codes they are: Intel's VMX or AMD's SVM. ``traced`` is what the tracepoint saw,
    ``counted`` what KVM's own counter rose by meanwhile (None where it is not believed), ``agrees`` whether
    the two are the same to 2 %. :mod:`grader.measure.exit_reasons` has the reasons in plain words.
    """

    unit: str = "exits/MB"
    extension: Literal["vmx", "svm"] | None = None
    megabytes: float | None = None
    traced: int | None = None
    counted: int | None = None
    agrees: bool | None = None
    reasons: tuple[ExitReason, ...] = ()


class CellResult(Record):
    """One spec under the workload on one host.

    ``asked`` and ``ran`` hold the same keys (``accelerator``, ``nic_model``, ``ept`` …), the second
    read back from the host and from inside the guest. A metric that cannot be had is absent from
    ``measurements`` and named in ``not_measurable`` with its cause: it is never 0. That goes for
    ``exit_reasons`` too.
    """

    id: str
    spec: DomainSpec
    asked: dict[str, Any] = Field(default_factory=dict)
    ran: dict[str, Any] = Field(default_factory=dict)
    status: Status
    cause: str | None = None
    remedy: str | None = None
    measurements: dict[str, Measurement] = Field(default_factory=dict)
    not_measurable: dict[str, str] = Field(default_factory=dict)
    exit_reasons: ExitReasons | None = None
    xml: str | None = None


class Run(Record):
    """What ``report.json`` holds."""

    schema_: Literal["tdlab.run/1"] = Field(default="tdlab.run/1", alias="schema")
    id: str
    title: dict[str, str] = Field(default_factory=dict)
    started: str
    finished: str | None = None
    tdlab: str = ""
    workload: dict[str, Any] = Field(default_factory=dict)
    environment: dict[str, Any] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stamp: Stamp | None = None
    cells: tuple[CellResult, ...] = ()

    def cell(self, cell_id: str) -> CellResult | None:
        """Return the cell with this id, or None."""
        return next((cell for cell in self.cells if cell.id == cell_id), None)

    def to_json(self) -> str:
        """Return the run as JSON text, keys in the order of the models."""
        return self.model_dump_json(by_alias=True, indent=2, exclude_defaults=False) + "\n"


def read(file: Path) -> Run:
    """Read ``report.json``; raises :class:`UsageError` when it is missing, damaged or of another schema."""
    try:
        return Run.model_validate_json(file.read_bytes())
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    except ValueError as why:
        raise UsageError(f"{file} is not a {SCHEMA} report: {str(why).splitlines()[0]}") from why
