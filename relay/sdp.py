"""What the relay reads in, and removes from, a viewer's SDP offer (RFC 8866, RFC 8829)."""

from __future__ import annotations

import re

from flow.errors import OfferError

MAX_OFFER_BYTES = 64 * 1024

_H264 = re.compile(r"^a=rtpmap:\d+ H264/90000\s*$", re.IGNORECASE | re.MULTILINE)


def checked_offer(offer_sdp: str) -> str:
    """Return the offer without its ICE candidates, or raise OfferError saying what it lacks.

    The browser checks us, never we the browser: aioice answers the viewer's own connectivity checks
    (RFC 8445 7.3.1.3, peer-reflexive candidates), so no offer can make this server send packets to an
    address it names, and no `.local` name is looked up (a second of mDNS each).
    """
    if len(offer_sdp) > MAX_OFFER_BYTES:
        raise OfferError(
            f"the offer has {len(offer_sdp)} bytes; {MAX_OFFER_BYTES} are enough for any browser"
        )
    if not offer_sdp.startswith("v=0"):
        raise OfferError("the request body is no SDP offer (it must start with 'v=0', RFC 8866 5.1)")
    if not re.search(r"^m=video ", offer_sdp, re.MULTILINE):
        raise OfferError("the offer has no video section ('m=video')")
    if not _H264.search(offer_sdp):
        raise OfferError("the offer has no H.264; this browser cannot show the picture")
    for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
        if f"a={attribute}:" not in offer_sdp:
            raise OfferError(f"the offer has no 'a={attribute}'; WebRTC needs it (RFC 8829 5.2.1)")
    lines = offer_sdp.replace("\r\n", "\n").split("\n")
    # Without end-of-candidates aioice keeps waiting for the viewer's checks (RFC 8838 8.2).
    return "\r\n".join(line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates")))
