"""The Redis of an installation with several nodes, where there is one."""

from __future__ import annotations

import asyncio

from flow.errors import ConfigError, UnavailableError
from flow.redis_bus import version_of
from ingest.addresses import shown

from .doctor_report import Finding, fail, ok

STREAMS_SINCE = 5
"""The first major version with streams, by which the bus travels."""


def check_redis(url: str) -> Finding:
    """`url` "": none is used. A password in it is never shown."""
    if not url:
        return ok("redis", "not needed: the service is one process, with its bus in memory")
    where = shown(url)
    try:
        version = asyncio.run(version_of(url))
    except (ConfigError, ValueError):  # its text may hold what of the address is secret
        todo = "write redis://USER:PASSWORD@HOST:6379/0, or unix:///PATH"
        return fail("redis", f"{where} is no address of a Redis", todo)
    except UnavailableError as error:
        return fail("redis", f"{where}: {error}", _remedy(str(error)))
    if int(version.partition(".")[0]) < STREAMS_SINCE:
        return fail("redis", f"{where}: Redis {version} has no streams", "install Redis 5 or newer")
    return ok("redis", f"{where}: Redis {version} answers")


def _remedy(why: str) -> str:
    if "auth" in why.lower() or "password" in why.lower():
        return "give the password that this Redis asks for (requirepass, or an ACL user) in the address"
    return "start redis-server there, or correct host and port; does a firewall stand between?"
