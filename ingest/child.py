"""Child processes of ingest: a Python module with a socket to its parent in the place of standard input.

They end with the pipe between: whoever owns a child closes its end, and the kernel kills what does not listen
(Linux), so that nothing outlives the service, however that ends. What a child has to know that is long, or
not for everybody who lists processes, goes through the socket and not on its command line.
"""

from __future__ import annotations

import asyncio
import contextlib
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

from flow import confinement
from flow.confinement import READING, Limits, confine
from flow.errors import LagebildError

_ROOT = str(Path(__file__).resolve().parents[1])
_PR_SET_PDEATHSIG = 1  # prctl(2)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


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
    """Run `python -m MODULE --parent PID ARGUMENTS`, a socket to us as its file descriptor 0.

    It is killed and reaped when the context ends. Must be entered on the main thread: the kernel ends the
    child with the thread that started it (prctl(2), PR_SET_PDEATHSIG).
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = _started(["-m", module, "--parent", str(os.getpid()), *arguments], theirs)
    except BaseException:
        ours.close()
        raise
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            yield Child(reader, writer, process.pid)
        finally:
            writer.transport.abort()
    finally:
        process.kill()
        await _reaped(process)


async def _reaped(process: subprocess.Popen[bytes]) -> None:
    """Wait in a thread for a process that was killed, also where we are cancelled meanwhile.

    A call that still waits for its thread is given up when it is cancelled: the process would stay a zombie.
    """
    waiting = asyncio.get_running_loop().run_in_executor(None, process.wait)
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _started(arguments: list[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    """A few milliseconds of the loop; asyncio's own way takes the same."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """For our own programs."""
    return confinement.environment({**_ONE_THREAD, "PYTHONPATH": _ROOT})


def parent_socket() -> socket.socket:
    """In a child: its end of the socket."""
    return socket.socket(fileno=0)


def end_with(parent: int, limits: Limits = READING) -> None:
    """In a child: let the kernel kill it when its parent ends (Linux); exit if that has ended already. From
    now on it takes no more than `limits`.

    An interrupt from the terminal goes to everybody; the parent decides what it means.
    """
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit()
    confine(limits)


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
