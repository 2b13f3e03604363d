"""Child processes never outlive who started them."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from ingest.children import child_process

ROOT = Path(__file__).parents[3]

PARENT = """
import asyncio, pathlib
from ingest.children import child_process

async def main():
    async with child_process("ingest.picture_decoder"):
        (pid,) = pathlib.Path(f"/proc/self/task/{__import__('os').getpid()}/children").read_text().split()
        print(pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_child_ends_with_its_context() -> None:
    async with child_process("ingest.picture_decoder") as (reader, _):
        pass
    assert await reader.read() == b""


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
