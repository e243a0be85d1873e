"""A cluster to ask: local workers that are ours for as long as it takes, or a scheduler that others run."""

from __future__ import annotations

import logging
import os
import shutil
import ssl
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.errors import InfrastructureError, UsageError
from grader.cluster import worker
from grader.cluster.address import Local, Remote, is_safe

if TYPE_CHECKING:
    from distributed import Client, Future, Security

# The resource that a worker has which may boot guests: `dask worker … --resources kvm=1`.
KVM = "kvm"
_CONNECT_SECONDS = 20
_START_SECONDS = 180
# A worker that dies takes what it was doing with it; so many more may try the same.
_ALLOWED_FAILURES = worker.TRIES - 1
# Nobody is to learn anything from our scheduler but our own workers; and what Dask measures of itself, fifty
# times a second, would take from what is to be graded where cores are few.
_SETTINGS: dict[str, object] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": _ALLOWED_FAILURES,
    # So long after a worker was killed, Dask gives its place up if just then it is not there again.
    "distributed.deploy.lost-worker-timeout": "365 days",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.cycle": "5s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.diagnostics.nvml": False,
    "distributed.worker.preload": [worker.__name__],
}


@dataclass(frozen=True)
class Cluster:
    """Workers that can be asked; ``sees_files`` is whether they see this machine's folders."""

    client: Client
    sees_files: bool

    def threads(self, resource: str = "") -> int:
        """Return how many things can be done at once, or of those that need a ``resource``."""
        seen = self.client.scheduler_info()["workers"].values()
        if resource:
            return int(sum(one["resources"].get(resource, 0) for one in seen))
        return sum(one["nthreads"] for one in seen)

    def submit(self, job: worker.Job, batch: list[worker.Sent], lab: Future | None, resource: str) -> Future:
        """Have a batch graded by whoever is free, and has the ``resource``."""
        needed = {resource: 1} if resource else None
        # What is graded twice is graded alike; it is one's own key that keeps Dask from looking for it.
        return self.client.submit(worker.graded, job, batch, lab, resources=needed, pure=False, retries=1)

    def finished(self, running: Collection[Future], seconds: float) -> set[Future]:
        """Return those of ``running`` that have ended, as soon as one has; none when none did in time."""
        from distributed import wait

        try:
            return set(wait(list(running), timeout=seconds, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return set()


@contextmanager
def opened(where: Local | Remote, grader_hash: str, scratch: Path, *, boots: bool) -> Iterator[Cluster]:
    """Lend a cluster; ``boots`` says whether some of its workers must be able to boot guests.

    ``scratch`` is a folder for workers of ours; it is gone afterwards, or before the next run at the latest.

    Raises :class:`UsageError` where others could listen, :class:`InfrastructureError` where nobody answers.
    """
    # It sets levels and defaults when it is imported, which must not be among what is put back here.
    import dask
    import distributed  # noqa: F401

    with ExitStack() as held:
        held.enter_context(dask.config.set(_SETTINGS if isinstance(where, Local) else {}))
        _quieten()
        if isinstance(where, Local):
            cluster = held.enter_context(_local(where, scratch, boots=boots))
        else:
            cluster = held.enter_context(_remote(where))
            _examined(cluster, where, grader_hash)
        if boots and not cluster.threads(KVM):
            raise UsageError(
                "no worker of the cluster can boot guests, which this lab's checks ask for",
                remedy=f"start one with: dask worker … --resources {KVM}=1   or leave out --lab-host",
            )
        yield cluster


@contextmanager
def _local(where: Local, scratch: Path, *, boots: bool) -> Iterator[Cluster]:
    """Start workers here; what they say to each other is encrypted by certificates that only they have."""
    from distributed import Client, LocalCluster, Security

    with ExitStack() as held:
        shutil.rmtree(scratch, ignore_errors=True)
        held.callback(shutil.rmtree, scratch, ignore_errors=True)
        try:
            cluster = LocalCluster(
                n_workers=where.workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                security=Security.temporary(),
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=_level(),
                memory_limit=0,
                local_directory=str(scratch),
                resources={KVM: 1} if boots else {},
            )
            client = held.enter_context(Client(held.enter_context(cluster), direct_to_workers=True))
            client.wait_for_workers(where.workers, timeout=_START_SECONDS)
        except (OSError, RuntimeError) as why:
            raise InfrastructureError(f"workers do not start here: {why}") from why
        yield Cluster(client, sees_files=True)


@contextmanager
def _remote(where: Remote) -> Iterator[Cluster]:
    from distributed import Client

    security = _security(where)
    try:
        client = Client(where.address, security=security, timeout=_CONNECT_SECONDS)
    except OSError as why:
        raise InfrastructureError(
            f"the cluster {where.address} does not answer: {why}",
            remedy="is its scheduler up, at that port, with certificates of the same authority?",
        ) from why
    with client:
        yield Cluster(client, sees_files=False)


def _security(where: Remote) -> Security:
    from distributed import Security

    if not where.is_encrypted:
        return Security(require_encryption=False)
    given: dict[str, Any] = {
        name: str(file)
        for name, file in (
            ("tls_ca_file", where.certificates.ca),
            ("tls_client_cert", where.certificates.cert),
            ("tls_client_key", where.certificates.key),
        )
        if file is not None
    }
    security = Security(require_encryption=True, **given)
    if not security.tls_ca_file or not security.tls_client_cert:
        raise UsageError(
            f"{where.address} asks for certificates, and none are given",
            remedy="add --cluster-ca, --cluster-cert and --cluster-key, or name them in Dask's config",
        )
    try:
        security.get_connection_args("client")
    except (OSError, ssl.SSLError) as bad:
        raise UsageError(f"the certificates of the cluster cannot be used: {bad}") from bad
    return security


def _examined(cluster: Cluster, where: Remote, grader_hash: str) -> None:
    """Refuse workers that others can listen to, and those that would grade in another way."""
    info = cluster.client.scheduler_info()
    for address in (info["address"], *info["workers"]):
        if not is_safe(address):
            raise UsageError(
                f"{address} of the cluster {where.address} is off this machine and without TLS",
                remedy="start its scheduler and its workers with certificates",
            )
    if not info["workers"]:
        raise InfrastructureError(
            f"the cluster {where.address} has no workers", remedy=f"start one: dask worker {where.address}"
        )
    for address, has in _told(cluster).items():
        if has != grader_hash:
            raise InfrastructureError(
                f"the worker {address} has another tdlab than this one, and could grade otherwise",
                remedy="install the same version there, and start it again",
            )


def _told(cluster: Cluster) -> dict[str, str]:
    try:
        found: dict[str, str] = cluster.client.run(worker.grader_hash)
    except (ImportError, AttributeError) as missing:
        raise InfrastructureError(
            f"a worker of the cluster has no tdlab, or another one: {missing}",
            remedy="install the same version there, and start it again",
        ) from missing
    return found


def _quieten() -> None:
    """Keep Dask's own messages to itself, its last ones too: what matters becomes a message of ours."""
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] in {"distributed", "tornado", "asyncio"}:
            logging.getLogger(name).setLevel(_level())


def _level() -> int:
    return logging.INFO if "TDLAB_DEBUG" in os.environ else logging.CRITICAL + 1
