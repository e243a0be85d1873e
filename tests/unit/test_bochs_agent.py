"""The appliance's agent and the line to it, without the appliance: both ends on this machine."""

from __future__ import annotations

import base64
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domains import process
from domains.bochs import contents, serial
from domains.errors import DeadlineExceeded, GuestError

AGENT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("agent", {agent!r})
agent = importlib.util.module_from_spec(spec)
spec.loader.exec_module(agent)
agent.LINE, agent.FOLDER, agent.KERNEL_LOG, agent.PARAMETERS = {line!r}, {folder!r}, "/dev/null", {folder!r}
sys.argv = ["agent"]
agent.main()
"""
SECONDS = 60.0


def nothing() -> None:
    """What is checked while a test waits: nothing."""


class Agent:
    """An agent that runs here; the test sends it requests."""

    def __init__(self, line: serial.SerialLine) -> None:
        self.line = line
        self.hello = self.receive()

    def receive(self) -> dict[str, Any]:
        return self.line.receive(check=nothing, waiting_for="the agent", deadline=SECONDS)

    def ask(self, program: str, *arguments: str, **files: str) -> dict[str, Any]:
        sources = {"main.py": program, **{f"{name}.py": text for name, text in files.items()}}
        packed = {n: base64.b64encode(zlib.compress(t.encode())).decode() for n, t in sources.items()}
        request = {
            "files": packed,
            "program": "main.py",
            "arguments": list(arguments),
            "parameters": None,
            "kernel_log": True,
        }
        self.line.send(request, check=nothing, deadline=SECONDS)
        return self.receive()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with serial.opened() as line:
        text = AGENT.format(agent=str(contents.HERE / "agent.py"), line=line.name, folder=str(tmp_path))
        with (tmp_path / "log").open("wb") as log, process.started([sys.executable, "-c", text], log=log):
            yield Agent(line)


def test_that_the_agent_says_when_it_is_ready_and_on_which_kernel(agent: Agent) -> None:
    assert agent.hello["ready"] is True
    assert agent.hello["release"]


def test_that_a_program_is_run_as_python_would_run_it(agent: Agent) -> None:
    said = agent.ask(
        "import sys, helper\n"
        "if __name__ == '__main__':\n"
        "    print(helper.twice(sys.argv[1]))\n"
        "    print('seen', file=sys.stderr)\n"
        "    sys.exit(3)\n",
        "é",
        helper="def twice(text): return text * 2\n",
    )
    assert (said["status"], said["stdout"], said["stderr"]) == (3, "éé\n", "seen\n")
    assert said["parameters"] == {}
    assert said["seconds"] >= 0


def test_that_a_program_that_dies_is_an_answer_and_not_the_end(agent: Agent) -> None:
    said = agent.ask("raise ValueError('on purpose')")
    assert said["status"] == 1
    assert "ValueError: on purpose" in said["stderr"]
    assert agent.ask("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")["status"] == -9
    assert agent.ask("print('still here')")["stdout"] == "still here\n"


def test_that_long_requests_and_answers_arrive_whole(agent: Agent) -> None:
    said = agent.ask(f"text = {'x' * 30_000!r}\nprint(text[::-1] + 'y')")
    assert said["stdout"] == "x" * 30_000 + "y\n"


def test_that_an_agent_that_says_nothing_is_a_deadline_with_a_name() -> None:
    with serial.opened() as line, pytest.raises(DeadlineExceeded, match="the agent"):
        line.receive(check=nothing, waiting_for="the agent", deadline=0)


def test_that_noise_on_the_line_is_an_error_of_ours() -> None:
    with serial.opened() as line, Path(line.name).open("wb", buffering=0) as other_end:
        other_end.write(b"no JSON\n[1]\n")
        for words in ("no JSON", "no object"):
            with pytest.raises(GuestError, match=words):
                line.receive(check=nothing, waiting_for="the agent", deadline=SECONDS)


def test_that_nobody_waits_for_a_machine_that_stopped() -> None:
    def stopped() -> None:
        raise GuestError("it stopped")

    with serial.opened() as line:
        with pytest.raises(GuestError, match="it stopped"):
            line.receive(check=stopped, waiting_for="the agent", deadline=SECONDS)
        with pytest.raises(GuestError, match="it stopped"):
            line.send({}, check=stopped, deadline=SECONDS)
