"""Child processes of ingest: how they are started, and how they end with us whatever happens."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from flow.errors import LagebildError

_ROOT = str(Path(__file__).resolve().parents[1])
_PR_SET_PDEATHSIG = 1  # prctl(2)


class EncoderError(LagebildError):
    """No encoder, or one that fails; `code` says which."""

    code = "encoder_failed"


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: what it writes, what it reads, and its process id."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int


@asynccontextmanager
async def child_process(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run `python -m MODULE --parent PID ARGUMENTS`, one socket its standard input and output.

    It is killed and reaped when the context ends. Must be entered on the main thread: the kernel ends the
    child with the thread that started it (prctl(2), PR_SET_PDEATHSIG).
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = _started(["-m", module, "--parent", str(os.getpid()), *arguments], theirs)
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            yield Child(reader, writer, process.pid)
        finally:
            writer.close()
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def _started(arguments: list[str], pipe: socket.socket) -> subprocess.Popen[bytes]:
    """A few milliseconds of the loop; asyncio's own way takes the same."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=pipe.fileno(),
        stdout=pipe.fileno(),
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """In which our own modules are found."""
    return {**os.environ, "PYTHONPATH": _ROOT}


def end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends (Linux); exit if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit()


def raise_if_cancelled() -> None:
    """To be called where a TaskGroup failed: cancelled at that very moment, it tells the failure only."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def cpu_s(pid: int) -> float | None:
    """Processor time that a process has used so far, in seconds; None where nobody can tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()  # proc(5): what is before may hold anything
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime
