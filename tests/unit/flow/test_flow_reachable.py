"""Which addresses are called, and that a name is looked up once."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from flow.lookup import connected, look_up
from flow.reachable import METADATA, RefusedAddressError, check_reachable


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
def test_where_clouds_tell_their_secrets_nobody_is_called(address: str) -> None:
    for host in (address, "kamera.example"):
        with pytest.raises(RefusedAddressError, match="clouds"):
            check_reachable(host, address, sends_only=True)


@pytest.mark.parametrize("address", ["169.254.7.7", "fe80::7", "fe80::7%eth0", "::ffff:169.254.7.7"])
def test_no_name_leads_to_a_neighbour(address: str) -> None:
    check_reachable(address, address)
    with pytest.raises(RefusedAddressError, match="the name leads to"):
        check_reachable("kamera.example", address)


@pytest.mark.parametrize("address", ["224.0.0.1", "ff02::1", "0.0.0.0", "::", "255.255.255.255"])
def test_nobody_in_particular_is_not_called(address: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_reachable(address, address)


def test_groups_are_only_sent_to() -> None:
    check_reachable("239.2.3.1", "239.2.3.1", sends_only=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "172.16.0.1", "192.168.0.1", "fd00::1", "127.0.0.1", "::1"])
def test_private_networks_are_called_also_by_name(address: str) -> None:
    check_reachable("kamera.example", address)


async def test_a_name_that_turns_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is judged and used: a second one, which leads elsewhere, is never asked for."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        answers = [[("127.0.0.1", port)], [("169.254.169.254", port)]]

        def turning(host: str, *_: Any, flags: int = 0, **__: Any) -> list[Any]:
            if flags & socket.AI_NUMERICHOST:
                raise socket.gaierror
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in answers.pop(0)]

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        with await connected("kamera.example", port) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
        with pytest.raises(RefusedAddressError):
            await connected("kamera.example", port)
        answers = [[("169.254.169.254", port), ("127.0.0.1", port)]]
        found = await look_up("kamera.example", port, socket.SOCK_STREAM)
        assert [each.address for each in found] == [("127.0.0.1", port)]
