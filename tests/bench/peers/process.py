"""A relay's process: started on its core, watched while it comes up, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from . import BUILD, PeerError

START_WITHIN_S = 20.0
END_WITHIN_S = 5.0
_LOG_LINES = 8


class RelayProcess:
    """What it prints goes to build/bench/logs/NAME.log."""

    def __init__(self, name: str) -> None:
        self._log = BUILD / "logs" / f"{name}.log"
        self._name = name
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pids(self) -> list[int]:
        return [self._process.pid] if self._process else []

    async def start(
        self,
        command: Sequence[str],
        ready: Callable[[], Awaitable[bool]],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Return when `ready`; raises PeerError with the end of the log when it ends or takes too long."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while not await ready():
                    if self._process.returncode is not None:
                        raise PeerError(f"{self._name} ended with {self._process.returncode}: {self._tail()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.stop()
            raise PeerError(f"{self._name} is not up after {START_WITHIN_S:g} s: {self._tail()}") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_WITHIN_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _tail(self) -> str:
        lines = Path(self._log).read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(lines[-_LOG_LINES:]) or "it printed nothing"
