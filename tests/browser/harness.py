"""Real processes for browser tests and benchmarks: the service as users start it, and headless Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    async_playwright,
    expect,
)

PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")
CHROMIUM = shutil.which("chromium") or "chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    # There is no GPU. The page is composed in software, and only the map's WebGL goes through SwiftShader:
    # with --use-angle=swiftshader everything would, and 720p is shown 10 times a second instead of 24.
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""Arguments for a made camera that every page may use."""
START_WITHIN_S = 30.0
expect.set_options(timeout=15_000)  # two browsers may share two cores
STOP_WITHIN_S = 10.0


@dataclass(slots=True)
class RunningLagebild:
    """The service as a process of its own."""

    url: str
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self) -> None:
        """Tell it to end, as Ctrl+C does, and wait until it has."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_WITHIN_S):
            await self.process.wait()


@contextlib.asynccontextmanager
async def lagebild(
    *arguments: str, port: int = 0, data_dir: Path | None = None
) -> AsyncIterator[RunningLagebild]:
    """Run `lagebild ARGUMENTS` on that port (0: a free one); it must stop when told so at the end.

    It records only where it is given a data folder.
    """
    environment = dict(os.environ) | {"LAGEBILD_RECORDING_ENABLED": "false"}
    if data_dir is not None:
        environment |= {"LAGEBILD_RECORDING_ENABLED": "true", "LAGEBILD_SERVER_DATA_DIR": str(data_dir)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "web", arguments[0], "--port", str(port), "--webrtc-port", "0",
        *arguments[1:],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        env=environment,
    )  # fmt: skip
    running = RunningLagebild("", process)
    try:
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_read(process, running))
            async with asyncio.timeout(START_WITHIN_S):
                while not running.url:
                    if reader.done():
                        raise AssertionError("lagebild ended at once:\n" + "\n".join(running.lines))
                    await asyncio.sleep(0.02)
            yield running
            await running.stop()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _read(process: asyncio.subprocess.Process, running: RunningLagebild) -> None:
    assert process.stdout is not None
    async for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        running.lines.append(line)
        if not running.url and (found := re.search(r"http://\S+", line)):
            running.url = found.group()


@dataclass(slots=True)
class Watched:
    """A page, with everything it complained about and every request that left this host."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    async def frames(self) -> list[dict[str, Any]]:
        """The frames shown since the last call (probe.js)."""
        taken: list[dict[str, Any]] = await self.page.evaluate("() => window.__probe.take()")
        return taken

    async def until(self, condition: str, within_s: float = 15.0) -> None:
        """Wait until the JavaScript expression is true."""
        # Not by animation frames: a headless browser leaves them out where nothing on the page moves.
        await self.page.wait_for_function(f"() => {condition}", timeout=within_s * 1000, polling=50)


@contextlib.asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    """Headless Chromium from the system's packages, with `more` arguments."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*CHROMIUM_ARGUMENTS, *more]
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def open_page(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = (1280, 800),
    scripts: Sequence[str] = (),
    routes: Mapping[str, Callable[[Route], Awaitable[None]]] | None = None,
    **context: Any,
) -> AsyncIterator[Watched]:
    """Open `url` with the probe in it; `routes` answer the requests whose addresses their patterns match."""
    width, height = size
    surroundings: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height}, locale=context.pop("locale", "de-DE"), **context
    )
    try:
        for script in (PROBE, *scripts):
            await surroundings.add_init_script(script)
        for pattern, answer in (routes or {}).items():
            await surroundings.route(pattern, answer)
        watched = Watched(await surroundings.new_page())
        _listen(watched, urlsplit(url).netloc)
        await watched.page.goto(url)
        yield watched
    finally:
        await surroundings.close()


def _listen(watched: Watched, host: str) -> None:
    def console(message: ConsoleMessage) -> None:
        # "GPU stall due to ReadPixels": how the map's WebGL comes to the screen where there is no GPU.
        if message.type in ("error", "warning") and "GL Driver Message" not in message.text:
            watched.complaints.append(f"{message.type}: {message.text}")

    def request(sent: Request) -> None:
        target = urlsplit(sent.url)
        if target.scheme not in ("data", "blob") and target.netloc != host:
            watched.strangers.append(sent.url)

    watched.page.on("console", console)
    watched.page.on("pageerror", lambda error: watched.complaints.append(f"exception: {error}"))
    watched.page.on("request", request)
