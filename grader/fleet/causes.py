"""Why a machine is not done: the cause in one line, and what mends it, from what Ansible said (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domains.many_hosts import CUT
from grader.language import Lang
from grader.language.bilingual import Bilingual, both
from grader.language.inert import one_line

_SHOWN = 160
SENDING = "Send what is missing"


@dataclass(frozen=True)
class Kind:
    """One way in which a machine fails: a stable word, what it is called, and what mends it."""

    id: str
    says: Bilingual
    mend: Bilingual


@dataclass(frozen=True)
class Cause:
    """What happened to one machine; ``detail`` is the telling line of what was said, made harmless."""

    kind: Kind
    detail: str

    def told(self, lang: Lang) -> str:
        """Return the cause in one line."""
        said = self.kind.says.say(lang)
        return f"{said} ({self.detail})" if self.detail else said


def _kind(id_: str, en: str, fr: str, mend_en: str, mend_fr: str) -> Kind:
    return Kind(id_, both(en, fr), both(mend_en, mend_fr))


_LOOK = "ssh {login}@{address} -p {port}"
OFF = _kind(
    "off", "no answer", "ne répond pas", "switch it on: ping {address}", "allumez-la : ping {address}"
)
NO_SSHD = _kind(
    "no-sshd", "no sshd runs", "aucun sshd", "on it: systemctl start ssh", "dessus : systemctl start ssh"
)
NO_NAME = _kind(
    "no-name", "its name is not known", "nom inconnu", "getent hosts {address}", "getent hosts {address}"
)
CHANGED_KEY = _kind(
    "changed-host-key",
    "its host key has changed",
    "sa clé d'hôte a changé",
    "if it was installed anew: ssh-keygen -R '{known}' -f {known_hosts}",
    "si elle a été réinstallée : ssh-keygen -R '{known}' -f {known_hosts}",
)
WRONG_KEY = _kind(
    "wrong-key",
    "it does not take our key",
    "elle refuse notre clé",
    "ssh-copy-id -p {port} {login}@{address}",
    "ssh-copy-id -p {port} {login}@{address}",
)
HUNG = _kind(
    "hung", "it hangs", "elle ne réagit plus", f"restart it, or look: {_LOOK}", f"redémarrez-la, ou : {_LOOK}"
)
DROPPED = _kind(
    "dropped", "the connection broke", "la connexion s'est rompue", "run the same command again", "relancez"
)
SLOW = _kind(
    "slow",
    "sending took too long; what came is kept",
    "l'envoi a trop duré ; ce qui est arrivé est gardé",
    "run it again, with a larger --transfer-seconds",
    "relancez, avec un plus grand --transfer-seconds",
)
DISK_FULL = _kind("disk-full", "its disk is full", "disque plein", f"{_LOOK} df -h", f"{_LOOK} df -h")
DISK = _kind(
    "disk", "its disk cannot be written", "disque non inscriptible", f"{_LOOK} dmesg", f"{_LOOK} dmesg"
)
NO_PYTHON = _kind(
    "no-python",
    "it has no Python",
    "pas de Python",
    f"{_LOOK} apt-get install -y python3",
    f"{_LOOK} apt-get install -y python3",
)
PYTHON_VERSION = _kind(
    "python-version",
    "no packages were sent for its Python",
    "aucun paquet envoyé pour son Python",
    "run it again, with --wheels for its version too",
    "relancez, avec --wheels pour sa version aussi",
)
OLD_PYTHON = _kind(
    "old-python",
    "its Python is too old, or broken",
    "Python trop ancien, ou cassé",
    "name a newer one in the inventory: ansible_python_interpreter=/usr/bin/python3.…",
    "nommez-en un plus récent dans l'inventaire : ansible_python_interpreter=/usr/bin/python3.…",
)
NO_PROGRAM = _kind(
    "no-program",
    "it lacks a program",
    "un programme manque",
    f"{_LOOK} apt-get install -y rsync",
    f"{_LOOK} apt-get install -y rsync",
)
NO_SUDO = _kind(
    "no-sudo",
    "{login} may not become root",
    "{login} ne peut pas devenir root",
    "let it use sudo without a password, or give ansible_become_password",
    "permettez sudo sans mot de passe, ou donnez ansible_become_password",
)
NO_SSHPASS = _kind(
    "no-sshpass",
    "this machine lacks sshpass, which a password for SSH needs",
    "cette machine-ci n'a pas sshpass, qu'un mot de passe SSH demande",
    "here: apt-get install -y sshpass; or better, keys: ssh-copy-id -p {port} {login}@{address}",
    "ici : apt-get install -y sshpass ; ou mieux, une clé : ssh-copy-id -p {port} {login}@{address}",
)
APT_LOCKED = _kind(
    "apt-locked", "apt is in use", "apt est occupé", "wait, then run it again", "attendez, puis relancez"
)
APT = _kind(
    "apt",
    "apt is broken",
    "apt est cassé",
    f"{_LOOK} 'dpkg --configure -a; apt-get -f install; apt-get update'",
    f"{_LOOK} 'dpkg --configure -a; apt-get -f install; apt-get update'",
)
CLOCK = _kind(
    "clock",
    "its clock is wrong",
    "horloge fausse",
    f"{_LOOK} date -s @$(date +%s)",
    f"{_LOOK} date -s @$(date +%s)",
)
FLOOD = _kind(
    "flood",
    "it prints more than was asked",
    "elle écrit plus que demandé",
    "look at .bashrc and .profile of {login}: they must print nothing",
    "voyez .bashrc et .profile de {login} : ils ne doivent rien écrire",
)
NO_ACCOUNT = _kind(
    "no-account",
    "the student's account is not there",
    "le compte manque",
    f"{_LOOK} adduser …",
    f"{_LOOK} adduser …",
)
IN_THE_WAY = _kind(
    "in-the-way",
    "another's work is in the way",
    "un autre travail occupe la place",
    "collect it, then: tdlab remove",
    "collectez-le, puis : tdlab remove",
)
INTERRUPTED = _kind("interrupted", "interrupted", "interrompu", "run it again", "relancez")
NOT_STARTED = _kind("not-started", "not begun", "pas commencé", "run it again", "relancez")
OTHER = _kind("other", "it failed", "échec", "see the log", "voyez le journal")

RELAY = _kind(
    "relay",
    "the machine that passes it on does not answer",
    "la machine relais ne répond pas",
    "run it again without --relay",
    "relancez sans --relay",
)
CHANGED = _kind(
    "not-what-was-sent",
    "what came is not what was sent",
    "ce qui est arrivé n'est pas ce qui a été envoyé",
    "run it again without --relay; with it: look at the machine that passes it on",
    "relancez sans --relay ; avec lui : voyez la machine relais",
)

# The first that fits is the cause: from the particular to the general.
_PATTERNS: tuple[tuple[str, Kind], ...] = (
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .+ has changed", CHANGED_KEY),
    (r"Host key verification failed", CHANGED_KEY),
    (r"what came is not what was sent", CHANGED),
    (r"rsync: .*failed to connect to|@ERROR: ", RELAY),
    (r"clock wrong by|not valid yet|certificate is not yet valid", CLOCK),
    (r"No space left on device|disk full|Disk quota exceeded", DISK_FULL),
    (r"Read-only file system|Input/output error|disk not writable", DISK),
    (r"Could not resolve hostname|Name or service not known", NO_NAME),
    (r"Permission denied \(|Too many authentication failures", WRONG_KEY),
    (r"install the sshpass program", NO_SSHPASS),
    (r"during banner exchange|banner exchange:", HUNG),
    (
        r"No route to host|Network is unreachable|Host is down|connect to host .+ timed out|Connection timed",
        OFF,
    ),
    (r"Connection refused", NO_SSHD),
    (r"server .+ not responding|reset by peer|Broken pipe|closed by remote|Connection closed by", DROPPED),
    (r"unexpectedly closed|timeout in data send|error in rsync protocol|error in socket IO", DROPPED),
    (
        r"sudo.*password|password is required|not in the sudoers|sudo: .*not found|Missing su.* password",
        NO_SUDO,
    ),
    (
        r"python3?: (?:command )?not found|no Python|interpreter .* not found|python3?: No such file",
        NO_PYTHON,
    ),
    (r"no packages for its Python", PYTHON_VERSION),
    (r"no rsync|rsync: (?:command )?not found|no ssh-keygen", NO_PROGRAM),
    (r"requires a minimum of Python|Fatal Python error|loading shared libraries: libpython", OLD_PYTHON),
    (
        r"Could not get lock|Unable to acquire the dpkg|(?:locked by|is) another process",
        APT_LOCKED,
    ),
    (r"dpkg was interrupted|unmet dependencies|Failed to fetch|held broken packages|apt.* failed", APT),
    (r"something else than was asked|output is capped", FLOOD),
    (r"no account|user .+ does not exist|Unable to find home", NO_ACCOUNT),
    (r"in the way of|in the place of", IN_THE_WAY),
    (r"[Tt]imed out after|Timeout exceeded|timed out", HUNG),
)
_TELLS_NOTHING = re.compile(r"One or more items failed|non-zero return code|MODULE FAILURE")
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _PATTERNS)


def classify(task: str, result: Mapping[str, Any]) -> Cause:
    """Return the cause behind a failed task or an unreachable host."""
    # What `timeout` ends, and what rsync ends with when nothing comes any more.
    if task == SENDING and result.get("rc") == 124:
        return Cause(SLOW, "")
    # ansible_runner leaves a result out that is longer than it takes.
    if not result or result.get("rc") == CUT:
        return Cause(FLOOD, "")
    said = list(_said(result))
    for pattern, kind in _COMPILED:
        for line in said:
            if pattern.search(line):
                return Cause(kind, one_line(_telling(line), limit=_SHOWN))
    first = next((line for line in said if not _TELLS_NOTHING.match(line)), next(iter(said), ""))
    return Cause(OTHER, one_line(f"{task}: {_telling(first)}", limit=_SHOWN))


def _said(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a result, those of its items too, the most telling first."""
    for key in ("msg", "stderr", "module_stderr", "module_stdout", "stdout", "exception"):
        text = result.get(key)
        if isinstance(text, str):
            yield from (line.strip() for line in text[-20_000:].splitlines() if line.strip())
    for item in result.get("results", ()):
        if isinstance(item, Mapping) and (item.get("failed") or item.get("unreachable")):
            yield from _said(item)


def _telling(line: str) -> str:
    return re.sub(r"^(?:Task failed: |Failed to connect to the host via ssh: |fatal: |E: )+", "", line)
