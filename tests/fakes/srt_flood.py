"""An SRT encoder without measure: `python -m tests.fakes.srt_flood PORT STREAM_ID MBIT_S SECONDS`.

Sends MPEG-TS with pictures of 100 kB at that rate for so long, as fast as libsrt takes it. Prints how many
bytes it got rid of. Ends with 1 where it is cut off.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from ingest.libsrt import SrtError
from tests.fakes.srt_encoder import MESSAGE_BYTES, SrtEncoder
from tests.unit.ingest.material import Coded, coded, written

PICTURES = 200
LARGE = b"\x00\x00\x00\x01\x41\x9a" + b"\xaa" * 100_000


def stream() -> bytes:
    """MPEG-TS of a keyframe, and of slices that refer to it."""
    first, *others = coded(PICTURES)
    large = (Coded(each.pts, each.dts, LARGE) for each in others)
    with tempfile.TemporaryDirectory() as folder:
        return written(Path(folder) / "flood.ts", (first, *large), format="mpegts").read_bytes()


def main() -> int:
    port, stream_id, mbit_s, seconds = sys.argv[1:]
    data = stream()
    messages = [data[at : at + MESSAGE_BYTES] for at in range(0, len(data), MESSAGE_BYTES)]
    with SrtEncoder(stream_id=stream_id) as encoder:
        if encoder.call(int(port)):
            return 1
        began, sent, at = time.monotonic(), 0, 0
        try:
            while (passed_s := time.monotonic() - began) < float(seconds):
                if sent * 8 > passed_s * float(mbit_s) * 1e6 or not encoder.try_send(messages[at]):
                    time.sleep(0.0005)
                    continue
                sent += len(messages[at])
                at = (at + 1) % len(messages)
        except SrtError:
            return 1
        print(sent, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
