"""A publisher with a key and no measure: `python -m tests.fakes.rtmp_flood PORT NAME MBIT_S SECONDS [tiny]`.

Sends pictures of 100 kB, or with `tiny` of a few bytes, at that rate for so long, as fast as they are taken.
Ends with 1 where it is cut off.
"""

from __future__ import annotations

import socket
import sys
import time

from ingest.protocol.rtmp.messages import Kind
from tests.unit.ingest.material import coded
from tests.unit.ingest.rtmp_publisher import RtmpPublisher

LARGE, TINY = 100_000, 7


def picture(size: int) -> bytes:
    """An FLV video tag with a slice of that many bytes, of a picture that others refer to."""
    return bytes.fromhex("27 01 000000") + size.to_bytes(4, "big") + b"\x41\x9a" + b"\xaa" * (size - 2)


def main() -> int:
    port, name, mbit_s, seconds, *tiny = sys.argv[1:]
    speech, body = RtmpPublisher(), picture(TINY if tiny else LARGE)
    with socket.create_connection(("127.0.0.1", int(port))) as sock:
        sock.sendall(speech.opening(name))
        sock.recv(65_536)
        sock.sendall(speech.writer.set_chunk_size(65_536) + b"".join(speech.pictures(coded(1))))
        began, sent, at_ms = time.monotonic(), 0, 0
        while (passed_s := time.monotonic() - began) < float(seconds):
            if sent * 8 > passed_s * float(mbit_s) * 1e6:
                time.sleep(0.001)
                continue
            at_ms += 4
            try:
                sock.sendall(speech.message(Kind.VIDEO, body, at_ms))
            except ConnectionError:
                return 1
            sent += len(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
