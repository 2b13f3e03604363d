"""What the relay takes from an offer, and what it refuses."""

from __future__ import annotations

import pytest

from flow.errors import OfferError
from relay.sdp import MAX_OFFER_BYTES, checked_offer

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 102",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 00:11",
        "a=rtpmap:102 H264/90000",
        "a=candidate:1 1 udp 1 6a3b.local 5000 typ host",
        "a=candidate:2 1 udp 1 10.0.0.9 5000 typ host",
        "",
    ]
)


def test_no_candidate_of_the_offer_is_kept() -> None:
    assert "candidate" not in checked_offer(OFFER)
    assert "10.0.0.9" not in checked_offer(OFFER)


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("", "no SDP offer"),
        ("hello", "no SDP offer"),
        (OFFER.replace("m=video", "m=audio"), "no video section"),
        (OFFER.replace("H264", "VP8"), "no H.264"),
        (OFFER.replace("a=ice-ufrag:abcd\r\n", ""), "ice-ufrag"),
        (OFFER.replace("a=fingerprint", "a=fingertip"), "fingerprint"),
        (OFFER + "a=x\r\n" * MAX_OFFER_BYTES, "bytes"),
    ],
)
def test_a_bad_offer_is_refused_with_what_it_lacks(offer: str, said: str) -> None:
    with pytest.raises(OfferError, match=said):
        checked_offer(offer)
