"""All relays by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from . import MissingPeerError, Peer
from .janus import JanusPeer
from .lagebild import LagebildPeer
from .place import Place
from .whep import PionPeer, StockPeer

PEERS: dict[str, Callable[[Place], Peer]] = {
    "lagebild": LagebildPeer,
    "janus": JanusPeer,
    "janus-keyframe": partial(JanusPeer, keyframe_buffered=True),
    "pion": PionPeer,
    "stock": StockPeer,
}


def present(place: Place, names: Iterable[str] = PEERS) -> tuple[dict[str, Peer], dict[str, str]]:
    """The relays that can be measured, and why the others cannot."""
    peers: dict[str, Peer] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            peers[name] = PEERS[name](place)
        except MissingPeerError as error:
            missing[name] = str(error)
    return peers, missing
