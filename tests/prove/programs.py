"""The programs a proof is made of: a relay and its viewers, each a process that speaks JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PYTHON = (sys.executable, "-m")
SYSTEM_PYTHON = "/usr/bin/python3"
GST_PLAYER = str(Path(__file__).parent.parent / "fakes" / "gst_player.py")
ANSWER_WITHIN_S = 20.0
END_WITHIN_S = 5.0
_LINE_BYTES = 1024 * 1024

RELAYS = {
    "lagebild": (*PYTHON, "tests.prove.serve", "lagebild"),
    "stock aiortc": (*PYTHON, "tests.prove.serve", "stock"),
}
VIEWERS = {
    "aiortc": (*PYTHON, "tests.prove.watch"),
    "gstreamer": (SYSTEM_PYTHON, GST_PLAYER),
}


class ProgramError(Exception):
    """A program ended or was silent when it was to speak; the message has the end of what it complained."""


class Program:
    """A child that ends with its standard input. `async with Program(argv, prefix) as child`.

    `prefix` comes before the command, such as `ip netns exec NAME`. `lines` are those nobody waited for.
    """

    def __init__(self, argv: Sequence[str], prefix: Sequence[str] = ()) -> None:
        self._argv = (*prefix, *argv)
        self._complaints: list[str] = []
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.lines: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE_BYTES
        )
        self._reading = asyncio.gather(self._read(), self._read_complaints())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await self._process.wait()
                await self._reading
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def say(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self, key: str) -> dict[str, Any]:
        """The next line that has `key`, or the last one that came before anybody waited for it."""
        for number, line in enumerate(self.lines):
            if key in line:
                return self.lines.pop(number)
        future = self._waiting.setdefault(key, asyncio.get_running_loop().create_future())
        try:
            return await asyncio.wait_for(future, ANSWER_WITHIN_S)
        except TimeoutError:
            raise ProgramError(f"{self._name} is silent about '{key}': {self._complained}") from None
        finally:
            self._waiting.pop(key, None)

    async def ask(self, key: str, **what: Any) -> dict[str, Any]:
        """Say something and wait for the line that has `key`."""
        await self.say(**what)
        return await self.hear(key)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            line = json.loads(text)
            waited_for = next((f for key, f in self._waiting.items() if key in line and not f.done()), None)
            if waited_for is not None:
                waited_for.set_result(line)
            else:
                self.lines.append(line)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ProgramError(f"{self._name} ended: {self._complained}"))

    async def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        async for text in self._process.stderr:
            self._complaints = [*self._complaints[-7:], text.decode(errors="replace").strip()]

    @property
    def _name(self) -> str:
        return " ".join(self._argv[-2:])

    @property
    def _complained(self) -> str:
        return " | ".join(self._complaints) or "it complained of nothing"


@cache
def missing_viewer(name: str) -> str | None:
    """Why that viewer cannot be run on this machine, or None."""
    if name != "gstreamer":
        return None
    try:
        tried = subprocess.run(
            [*VIEWERS[name], "--check"], capture_output=True, text=True, timeout=20, check=False
        )
    except OSError as error:
        return str(error)
    return None if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["it does not start"])[-1]
