"""The provider's name, looked up once for each connection, at addresses that may be called."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from flow.lookup import look_up


class Looked(AbstractResolver):
    """What is found is what is connected to: aiohttp asks no second time."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError."""
        found = await look_up(host, port, socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(each.address[0]),
                port=port,
                family=each.family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is held."""
