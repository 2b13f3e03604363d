"""Processes that we start: never by a shell, without our secrets, and with limits."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flow.confinement import READING, environment
from ingest.child import child_process
from ingest.child import environment as of_ingest
from web.children import child

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("flow", "ingest", "relay", "telemetry", "recordings", "web", "simulator")
SHELLS = frozenset({"system", "popen", "create_subprocess_shell", "getoutput", "getstatusoutput"})
SECRET = "Drehleiter-am-Ostbahnhof"
TOLD = """
import json, os, resource, sys
from ingest.child import end_with
end_with(os.getppid())
names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
told = {"limits": limits, "no_new_privs": status["NoNewPrivs"].strip(), "environment": dict(os.environ)}
print(json.dumps(told))
"""


def _sources() -> list[Path]:
    return [
        path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts
    ]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_ever_given_to_a_shell(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            assert name not in SHELLS, f"{path}:{node.lineno}"
            assert all(each.arg != "shell" for each in node.keywords), f"{path}:{node.lineno}"


def test_secrets_of_the_settings_are_given_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAGEBILD_OIDC_CLIENT_SECRET", "LAGEBILD_PUBLISH_SRT_PASSPHRASE", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    for given in (environment(), of_ingest()):
        assert SECRET not in given.values()
        assert given["PATH"] == os.environ["PATH"]


async def test_a_child_has_limits_and_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAGEBILD_OIDC_CLIENT_SECRET", SECRET)
    (tmp_path / "tells_its_limits.py").write_text(TOLD, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    async with child("tells_its_limits", [], talks=True) as process:
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    told = json.loads(said)
    assert SECRET not in told["environment"].values()
    assert told["no_new_privs"] == "1"
    assert told["limits"]["RLIMIT_CORE"] == [0, 0]
    assert told["limits"]["RLIMIT_AS"][1] == READING.memory_bytes
    assert told["limits"]["RLIMIT_FSIZE"][1] <= READING.file_bytes
    assert told["limits"]["RLIMIT_NOFILE"][1] <= READING.files


async def test_a_decoder_really_runs_so(tmp_path: Path) -> None:
    """As the kernel tells of a running one."""
    film = tmp_path / "film.h264"
    os.mkfifo(film)  # it waits there for ever
    async with child_process("ingest.av_reader", str(film)) as reader:
        async with asyncio.timeout(30):
            while _limit(reader.pid, "Max core file size") != "0":
                await asyncio.sleep(0.01)
            assert _limit(reader.pid, "Max address space") == str(READING.memory_bytes)


def _limit(pid: int, name: str) -> str:
    """The hard one (proc(5))."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    return next(line.removeprefix(name).split()[1] for line in lines if line.startswith(name))


def test_limits_are_only_ever_lowered() -> None:
    script = (
        "import resource; from flow.confinement import Limits, confine\n"
        "confine(Limits(file_bytes=1000)); confine(Limits(file_bytes=2000))\n"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "(1000, 1000)"
