"""Child processes never outlive who started them, and one that cannot start leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

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
