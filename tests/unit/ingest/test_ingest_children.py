"""Child processes never outlive who started them, and one that cannot start leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from ingest.child import child_process

ROOT = Path(__file__).parents[3]

PARENT = """
import asyncio
from ingest.child import child_process

async def main():
    async with child_process("ingest.picture_decoder") as child:
        print(child.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_child_ends_with_its_context() -> None:
    """Killed and reaped: a stopped one neither sees the end of its socket nor anything else."""
    running = child_process("ingest.picture_decoder")
    child = await running.__aenter__()
    os.kill(child.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            await running.__aexit__(None, None, None)
        assert not Path(f"/proc/{child.pid}").exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    assert await child.reader.read() == b""


@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
async def test_also_where_the_context_fails(failure: type[BaseException]) -> None:
    with pytest.raises(failure):
        async with child_process("ingest.picture_decoder") as child:
            raise failure
    assert not Path(f"/proc/{child.pid}").exists()


async def test_cancelled_while_all_threads_are_busy_it_is_reaped_nevertheless() -> None:
    """As where a service ends at the moment at which one of its children does."""
    busy, started = Event(), asyncio.Event()
    pids: list[int] = []

    async def run() -> None:
        async with child_process("ingest.picture_decoder") as child:
            pids.append(child.pid)
            started.set()
            await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as threads:
        loop.set_default_executor(threads)
        occupied = loop.run_in_executor(None, busy.wait, 60.0)
        running = asyncio.ensure_future(run())
        await started.wait()
        try:
            for _ in range(3):
                running.cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            is_done = running.done()
        finally:
            busy.set()
        assert not is_done
        await occupied
        with pytest.raises(asyncio.CancelledError):
            await running
    assert not Path(f"/proc/{pids[0]}").exists()


async def test_a_child_that_cannot_be_started_leaves_no_socket_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    before = open_files()
    with pytest.raises(FileNotFoundError) as failure:
        async with child_process("ingest.picture_decoder"):
            pass
    assert open_files() == before, failure  # which still holds whatever was not closed


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_a_child_whose_parent_is_killed_ends() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    child = Path("/proc") / (await parent.stdout.readline()).decode().strip()
    assert child.exists()
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    deadline = time.monotonic() + 10
    while child.exists() and "zombie" not in (child / "status").read_text():
        assert time.monotonic() < deadline, "it lives on"
        await asyncio.sleep(0.02)
