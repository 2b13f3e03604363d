"""The public half of the key that exports are signed with: whoever has an export compares the two."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from flow.errors import ConfigError, UnavailableError
from recordings.export.signature import signing_key
from web.access import Door, Permission, Route
from web.archive_calls import DiskReads
from web.bodies import json_reply

log = logging.getLogger("lagebild.web")


@dataclass(frozen=True, slots=True)
class SigningKeyView:
    """What exports are signed with. Secret is the other half."""

    algorithm: Annotated[str, Meta(examples=["Ed25519"])]
    fingerprint: Annotated[
        str, Meta(description="SHA-256 of the public key in DER", pattern="^[0-9a-f]{64}$")
    ]
    pem: Annotated[str, Meta(description="The public key (RFC 7468, RFC 8410)")]


_KEY = Route(
    "GET",
    "/api/v1/signing-key",
    Permission.REVIEW,
    "The public key that exports are signed with; it is made when it is first asked for",
    {200: "the key", 503: "it cannot be read or made, or not in time: the log says why"},
    schema=SigningKeyView,
)


def add_signing_key_route(door: Door, root: Path, reads: DiskReads) -> None:
    async def shown(_: web.Request) -> web.Response:
        try:
            public = (await reads.call(signing_key, root)).public
        except ConfigError as error:  # where it lies is not for strangers
            log.error("%s", error)
            raise UnavailableError(
                "it cannot be read or made: the log says why", code="disk_failed"
            ) from None
        return json_reply(SigningKeyView("Ed25519", public.fingerprint, public.pem.decode("ascii")))

    door.route(_KEY, shown)
