"""Which addresses we call: never those that clouds tell their secrets at, and by a name none that only
somebody who means harm would give it (server-side request forgery, DNS rebinding).

Private networks are allowed: cameras, aircraft, TAK servers and most providers of logins are in them.
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"),
    )
) | {ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("192.0.0.192")}
"""Where the machines of AWS, Azure, Google, Alibaba and Oracle are told their credentials."""


class RefusedAddressError(OSError):
    """An address that we do not call; its text says why."""


def ip_of(host: str) -> IpAddress | None:
    """The address that `host` is, without zone and brackets; None where it is a name."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def why_refused(address: IpAddress, *, by_name: bool, sends_only: bool = False) -> str:
    """ "": it may be called. `by_name`: a name has led there, and no person who wrote it down.

    Somebody may well wire a camera to this machine and write down its 169.254 or fe80 address; no name leads
    to one. Datagrams that are only sent may go to groups.
    """
    if address in METADATA:
        return f"{address} is where clouds tell their secrets"
    if address.is_multicast and not sends_only:
        return f"{address} is a group, and nobody to call"
    if address.is_unspecified or address == ipaddress.IPv4Address("255.255.255.255"):
        return f"{address} is nobody's address"
    if by_name and address.is_link_local:
        return f"the name leads to {address}, which only neighbours have: write the address itself"
    return ""


def check_reachable(host: str, address: str, *, sends_only: bool = False) -> None:
    """Raises RefusedAddressError where `host`, which is at `address`, is not to be called."""
    found = ip_of(address)
    if found is not None and (why := why_refused(found, by_name=ip_of(host) is None, sends_only=sends_only)):
        raise RefusedAddressError(why)
