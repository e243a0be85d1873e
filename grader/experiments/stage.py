"""What an experiment stands on: the host, its hypervisor, guests of its own, and a notebook for findings.

Nothing is opened before it is asked for: an experiment that needs no libvirt does without it. All that was
opened is closed, and every guest ended, when the stage is left.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from domains import capabilities, daemon, images, lifecycle, ownership, store
from domains import hypervisor as hypervisors
from domains.capabilities import Capabilities
from domains.capabilities import survey as surveys
from domains.capabilities.survey import Survey
from domains.devices import modules
from domains.errors import CapabilityMissing
from domains.host import Host
from domains.hypervisor import LOCAL_URI, Hypervisor
from domains.lifecycle import Domain, Network
from domains.process import Completed
from domains.render import Owner, Placement
from domains.spec import DomainSpec
from grader.experiments import programs
from grader.experiments.description import Experiment
from grader.experiments.notebook import Notebook
from grader.experiments.result import Value
from grader.measure import cell, environment
from grader.measure.run import Stamp

# How much longer a guest may take to boot that is emulated inside a host which is emulated itself.
_TWICE_EMULATED = 5

Accelerator = Literal["kvm", "tcg"]
Say = Callable[[str], None]
# What imitates the processor of a guest that does not run under KVM.
TCG = "QEMU TCG"
# Of a /dev/kvm that is there although the CPU shows neither extension.
SOFTWARE_KVM = "KVM without VMX or SVM"


@dataclass(frozen=True)
class Setting:
    """Where an experiment runs, and what it may do there. ``emulator`` names what emulates the host."""

    host: Host
    folder: Path
    say: Say
    emulator: str | None = None
    # Whether the host's KVM module may be loaded anew: asked for, or the host is one of our own.
    allow_module_reload: bool = False
    # Whether a second emulated host may be started beside an emulated one, for what is compared with it.
    second_host: bool = False
    stamp: Stamp | None = None  # of the workspace in which it is measured
    repeats: int = 1  # how often it is measured, for more samples in one result


class Stage:
    """Given to ``measure.py``. Opened by :func:`opened`."""

    def __init__(self, experiment: Experiment, setting: Setting, owner: Owner, everything: ExitStack) -> None:
        self.experiment = experiment
        self.host = setting.host
        self.emulator = setting.emulator
        self.second_host = setting.second_host
        self.owner = owner
        self.say = setting.say
        self.notebook = Notebook(experiment.description, setting.folder, setting.emulator)
        self._setting = setting
        self._everything = everything
        self._guests = 0

    # What the host is and can do.

    @functools.cached_property
    def survey(self) -> Survey:
        """One look at the host: CPU flags, modules, devices; nothing is started for it."""
        return surveys.look(self.host)

    @functools.cached_property
    def hypervisor(self) -> Hypervisor:
        """The host's libvirt; what killed runs left there is removed first."""
        if self.host.uri == LOCAL_URI and (said := daemon.ensure_running()):
            self.say(said)
        found = self._everything.enter_context(hypervisors.connected(self.host.uri))
        for leftover in ownership.sweep(found, store.pool(found)):
            self.say(f"removed {leftover.kind} {leftover.name}, left by a run that was killed")
        return found

    @functools.cached_property
    def capabilities(self) -> Capabilities:
        """The rows of `tdlab doctor`; the first look at a host boots a guest for some seconds."""
        return capabilities.probe(self.host, self.hypervisor, say=self.say)

    @functools.cached_property
    def accelerator(self) -> Accelerator:
        """The accelerator that guests get on this host: KVM where it was seen to work, else TCG."""
        return capabilities.choose(self.capabilities["kvm"]).name

    def environment(self) -> dict[str, Any]:
        """Return what a measurement here depends on and does not show."""
        return environment.collect(self.host, self.__dict__.get("hypervisor"))

    @property
    def imitated_by(self) -> str | None:
        """What imitates the processor that programs on this host see; None where its KVM uses hardware."""
        return self.emulator or (None if self.survey.extension else SOFTWARE_KVM)

    # What can be started there.

    @functools.cached_property
    def _network(self) -> Network:
        return self._everything.enter_context(lifecycle.network(self.hypervisor, self.owner))

    @functools.cached_property
    def _place(self) -> Placement:
        stored = store.keep(self.hypervisor, images.build(self.say))
        return Placement(kernel=stored.kernel, initramfs=stored.initramfs, owner=self.owner)

    def network(self) -> Network:
        """Return the experiment's own network, made at the first call; all its guests are on it."""
        return self._network

    @contextlib.contextmanager
    def guest(self, spec: DomainSpec, *, accelerator: Accelerator | None = None) -> Iterator[Domain]:
        """Own one of the project's tiny guests, ready when the block begins; its XML is kept as evidence.

        ``spec.name`` must differ among guests that run at the same time. Raises :class:`DeadlineExceeded`
        when it is not ready in time; emulation inside an emulated host gets several times as long.
        """
        chosen = accelerator or ("tcg" if spec.accelerator == "tcg" else self.accelerator)
        name = f"{ownership.PREFIX}{self.owner.run}-{spec.name}"
        place = replace(self._place, name=name, accelerator=chosen)
        number, self._guests = self._guests, self._guests + 1
        twice = self.emulator is not None and chosen == "tcg"
        deadline = lifecycle.READY_SECONDS * (_TWICE_EMULATED if twice else 1)
        started = lifecycle.running(
            self.hypervisor, spec, place, self.network(), number, ready_within=deadline
        )
        with started as domain:
            self.say(f"{spec.name}: ready in {domain.boot_to_ready:.1f} s under {chosen.upper()}")
            self.evidence(f"{spec.name}-{chosen}.xml", domain.xml)
            yield domain

    def emulator_of(self, accelerator: Accelerator) -> str | None:
        """Return what imitates the processor of a guest of this stage, or None: hardware runs it."""
        if accelerator == "kvm":
            return self.imitated_by
        return f"{TCG} on {self.emulator}" if self.emulator else TCG

    def what_runs(self, domain: Domain) -> dict[str, Any]:
        """Return what really runs of a guest, read back from libvirt, the host's modules and the guest."""
        return cell.ran(self.host, domain)

    def program(
        self,
        path: Path,
        *arguments: str,
        modules: Sequence[Path] = (),
        timeout: float = 120,
        root: bool = False,
        check: bool = True,
    ) -> Completed:
        """Run a Python file on the host; see :func:`grader.experiments.programs.run`."""
        return programs.run(
            self.host, path, arguments, modules=modules, timeout=timeout, root=root, check=check
        )

    def as_root(self, argv: Sequence[str], *, timeout: float = 30, check: bool = True) -> Completed:
        """Run a program on the host as root: by itself, or through sudo, which never asks here."""
        return self.host.run([*programs.AS_ROOT, *argv], timeout=timeout, check=check)

    @contextlib.contextmanager
    def module_parameters(self, wanted: Mapping[str, str]) -> Iterator[None]:
        """Own parameters of the host's KVM module, which is loaded anew for them and put back afterwards.

        Needs consent, unless the host is an emulated one of ours. Raises as
        :func:`domains.devices.modules.with_parameters` does.
        """
        if not self._setting.allow_module_reload:
            said = ", ".join(f"{name}={value}" for name, value in wanted.items())
            raise CapabilityMissing(
                f"{said} needs the KVM module of {self.host.name} to be loaded anew, which was not allowed",
                remedy="end all VMs there and add --allow-module-reload; the module is put back afterwards",
            )
        with modules.with_parameters(self.host, wanted, owner=self.owner):
            yield

    def skip(self, cause: str, remedy: str) -> NoReturn:
        """End the experiment as skipped: this host cannot do it."""
        raise CapabilityMissing(cause, remedy=remedy)

    # What is written down; names are those of experiment.yaml.

    def measure(self, name: str, samples: Sequence[float], *, emulator: str | None = None) -> None:
        """Keep all samples of one measure; ``emulator=TCG`` for a guest that was not under KVM."""
        self.notebook.measure(name, samples, emulator=emulator)

    def not_measurable(self, name: str, cause: str) -> None:
        """Keep why a measure cannot be had here; it is never 0."""
        self.notebook.cannot_measure(name, cause)

    def table(self, name: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Keep a table, each row a mapping of its columns."""
        self.notebook.table(name, rows)

    def note(self, name: str, /, **values: object) -> None:
        """Keep one of the described sentences, filled in."""
        self.notebook.note(name, **values)

    def evidence(self, name: str, text: str) -> Path:
        """Keep a text in the run's folder, under a plain file name."""
        return self.notebook.keep(name, text)

    def asked(self, **values: object) -> None:
        """Keep what was asked for, under the names that :meth:`ran` uses."""
        self.notebook.asked.update(values)

    def ran(self, **values: object) -> None:
        """Keep what really ran, read back."""
        self.notebook.ran.update(values)


@contextlib.contextmanager
def opened(experiment: Experiment, setting: Setting) -> Iterator[Stage]:
    """Own a stage for one experiment; on leaving, all that it started is gone."""
    with ExitStack() as everything:
        yield Stage(experiment, setting, ownership.this_process(ownership.new_run_id()), everything)
