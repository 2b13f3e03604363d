"""Child processes of ingest: a Python module with a socket to its parent in the place of standard input.

They end with the pipe between: whoever owns a child closes its end, and the kernel kills what does not listen
(Linux), so that nothing outlives the service, however that ends.
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
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])
_PR_SET_PDEATHSIG = 1  # prctl(2)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@asynccontextmanager
async def child_process(
    module: str, arguments: Sequence[str] = ()
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Run `python -m module --parent PID arguments` and give both directions of its socket.

    The child finds the socket as file descriptor 0 (`parent_socket`). It is killed when the context ends.
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = _start(module, arguments, theirs)
    except BaseException:
        ours.close()
        raise
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def _start(module: str, arguments: Sequence[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, "--parent", str(os.getpid()), *arguments],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": _ROOT},
    )


def parent_socket() -> socket.socket:
    """In a child: its end of the socket."""
    return socket.socket(fileno=0)


def end_with(parent: int) -> None:
    """In a child: let the kernel kill it when its parent ends (Linux); exit if that has ended already.

    An interrupt from the terminal goes to everybody; the parent decides what it means.
    """
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit()
