"""Child processes the service owns: started, watched, and ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from flow.confinement import environment

log = logging.getLogger("lagebild.web")

END_WITHIN_S = 3.0


async def run_child(module: str, arguments: Sequence[str]) -> int:
    """Run `python -m module` until it ends and return its exit code; when cancelled, end it first.

    Its standard input is a pipe that this process never writes: end of file tells it that we are gone.
    """
    async with child(module, arguments) as process:
        return await process.wait()


@contextlib.asynccontextmanager
async def child(
    module: str, arguments: Sequence[str], *, talks: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m module`, ended with the context. With `talks` its standard output is a pipe, too."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if talks else None,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            await _end(process, module)


async def _end(process: asyncio.subprocess.Process, module: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_WITHIN_S)
    except TimeoutError:
        log.warning("%s did not end within %g s and was killed", module, END_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def step_back(niceness: int) -> None:
    """In a child: pictures that are watched now come first."""
    os.nice(niceness)
    with contextlib.suppress(OSError):  # sched(7): niceness counts within a session; this is the session's
        Path("/proc/self/autogroup").write_text(f"{niceness}", encoding="ascii")
