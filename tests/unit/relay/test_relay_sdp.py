"""What the relay takes from an offer, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import OfferError
from relay.sdp import MAX_LINES, MAX_OFFER_BYTES, checked_offer

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
        (OFFER + "a=" + "ä" * (MAX_OFFER_BYTES // 2), "bytes"),
        (OFFER + "a=x\r\n" * MAX_LINES, "lines"),
        (OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 4, "5 lines 'm="),
        (OFFER + "a=rtpmap:103 rtx/90000\r\n" * 96, "97 lines 'a=rtpmap:"),
        (OFFER + "a=ssrc:1 cname:x\r\n" * 65, "65 lines 'a=ssrc:"),
        (OFFER + "".join(f"a=rtcp-fb:{n} nack\r\n" for n in range(257)), "257 lines 'a=rtcp-fb:"),
        (OFFER + "a=rtcp-fb:* nack\r\n" * 33, r"33 lines 'a=rtcp-fb:\*"),
        (OFFER + "a=mid:0\r\na=mid:0\r\n", "a=mid"),
        ("v=0\r\na=group:BUNDLE 7\r\n" + OFFER, "BUNDLE"),
    ],
)
def test_a_bad_offer_is_refused_with_what_it_lacks(offer: str, said: str) -> None:
    with pytest.raises(OfferError, match=said):
        checked_offer(offer)


SEPARATORS = [
    "\r",
    "\v",
    "\f",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\0",
    "\t",
    "\r\r\n",
    "\ud800",
]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_what_others_may_take_for_a_line_end_is_refused(separator: str) -> None:
    with pytest.raises(OfferError, match="line 12 of the offer has control characters"):
        checked_offer(f"{OFFER}a=x{separator}a=candidate:1 1 udp 1 10.0.0.9 5000 typ host\r\n")


PIECES = st.lists(
    st.sampled_from(["a=candidate:1 1 udp 1 10.0.0.9 5 typ host", "\n", "\r\n", "a=x", *SEPARATORS])
)


@given(pieces=PIECES, at=st.integers(0, len(OFFER)), noise=st.text(max_size=3))
@settings(max_examples=400, derandomize=True, deadline=None)
def test_no_offer_brings_a_candidate_past_the_filter(pieces: list[str], at: int, noise: str) -> None:
    try:
        checked = checked_offer(OFFER[:at] + noise.join(pieces) + OFFER[at:])
    except OfferError:
        return
    assert not any(line.startswith("a=candidate") for line in checked.splitlines())  # as aiortc splits it
