"""Nothing that telemetry is made of could send to an aircraft: read out of the source, module by module.

What really goes over the sockets is in tests/interop/test_telemetry_shares.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "telemetry"
SHARE = ROOM / "share"

SENDING = frozenset(
    {"send", "sendto", "sendall", "sendmsg", "sendfile", "write", "writelines", "write_eof", "send_bytes"}
    | {"sock_sendall", "sock_sendto", "sock_sendfile", "create_subprocess_exec", "Popen"}
)
"""What hands bytes to a socket, a serial port, a stream, a child."""
OF_LINKS = ("telemetry.link", "telemetry.sources", "telemetry.serial", "telemetry.protocol.fleet", "serial")
"""Where the sockets of links are, and so what share/ must not know."""


def calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            yield node.attr


def imports(source: str, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (parent, node.module)))
            yield base
            yield from (f"{base}.{name.name}" for name in node.names)


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py"))


@pytest.mark.parametrize("path", [path for path in modules(ROOM) if SHARE not in path.parents])
def test_what_listens_has_nothing_to_send_with(path: Path) -> None:
    assert SENDING & set(calls(path.read_text(encoding="utf-8"))) == set(), path.name


@pytest.mark.parametrize("path", modules(SHARE))
def test_what_is_shared_does_not_know_the_links(path: Path) -> None:
    known = set(imports(path.read_text(encoding="utf-8"), "telemetry.share"))
    assert not [name for name in known if name.startswith(OF_LINKS)], path.name


def test_the_test_can_fail() -> None:
    assert SENDING & set(calls("self._transport.sendto(b'')"))
    assert SENDING & set(calls("give = port.write"))
    assert "telemetry.sources" in set(imports("from ..sources import run_source", "telemetry.share"))
    assert "telemetry.link" in set(imports("from telemetry import link", "telemetry.share"))
    assert any(SENDING & set(calls(path.read_text(encoding="utf-8"))) for path in modules(SHARE))
