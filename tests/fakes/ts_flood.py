"""A sender without measure: `python -m tests.fakes.ts_flood PORT FILE MBIT_S SECONDS`.

Sends an MPEG-TS file to a UDP port of this machine, again and again, at that rate for so long.
"""

from __future__ import annotations

import socket
import sys
import time
from itertools import cycle
from pathlib import Path

DATAGRAM = 7 * 188
AT_ONCE = 16


def main() -> int:
    port, path, mbit_s, seconds = sys.argv[1:]
    data = Path(path).read_bytes()
    pieces = cycle([data[at : at + DATAGRAM] for at in range(0, len(data), DATAGRAM)])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        began, sent = time.monotonic(), 0
        while (passed_s := time.monotonic() - began) < float(seconds):
            if sent * 8 > passed_s * float(mbit_s) * 1e6:
                time.sleep(0.001)
                continue
            for _ in range(AT_ONCE):
                sent += sock.sendto(next(pieces), ("127.0.0.1", int(port)))
    print(sent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
