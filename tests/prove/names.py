"""aiortc's and pylibsrtp's private names gone: one clear error that names what is missing.

`python -m tests.prove.names OWNER NAME` takes one away, imports the relay, and prints the error's text.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from flow.errors import LagebildError

TAKEN_AWAY = (
    ("aiortc.rtcdtlstransport:RTCDtlsTransport", "_setup_srtp"),
    ("aiortc.rtcdtlstransport:RTCDtlsTransport", "_validate_peer_identity"),
    ("aiortc.rtcdtlstransport:RTCDtlsTransport", "_set_role"),
    ("aiortc.rtcdtlstransport:RTCCertificate", "_create_ssl_context"),
    ("aiortc.rtcdtlstransport", "SRTP_AEAD_AES_128_GCM"),
    ("aiortc.sdp", "SessionDescription"),
    ("aioice.ice", "get_host_addresses"),
    ("pylibsrtp", "_binding"),
)


def names(taken_away: Sequence[tuple[str, str]] = TAKEN_AWAY) -> dict[str, Any]:
    """What the relay says, in a process of its own for each name that is gone."""
    said = {f"{owner}.{name}": _said(owner, name) for owner, name in taken_away}
    return {"said": said, "ok": all(name.rpartition(".")[2] in text for name, text in said.items())}


def _said(owner: str, name: str) -> str:
    command = [sys.executable, "-m", "tests.prove.names", owner, name]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return tried.stdout.strip() or f"nothing clear: {tried.stderr.strip().splitlines()[-1:]}"


def main(owner: str, name: str) -> None:
    module, _, attribute = owner.partition(":")
    found: Any = importlib.import_module(module)
    delattr(getattr(found, attribute) if attribute else found, name)
    try:
        importlib.import_module("relay.hub")
    except LagebildError as error:
        print(error)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
