"""A camera without measure: `python -m tests.fakes.rtsp_flood MBIT_S SECONDS` prints its port.

Sends pictures of 100 kB on the RTSP connection of each caller, at that rate for so long. Ends with its
standard input.
"""

from __future__ import annotations

import asyncio
import sys

from flow.codec import h264
from flow.codec.annexb import START_CODE
from flow.codec.rtp import RtpPacket
from ingest.protocol.rtsp_messages import Interleaved
from tests.unit.ingest.material import coded
from tests.unit.ingest.test_ingest_rtsp_source import Caller

LARGE = START_CODE + b"\x41\x9a" + b"\xaa" * 100_000


def frames(picture: bytes, sequence: int, timestamp: int) -> list[bytes]:
    payloads = h264.packetize(picture)
    return [
        Interleaved(
            0, RtpPacket(96, last == 1, (sequence + at) & 0xFFFF, timestamp, 5, payload).serialize()
        ).serialize()
        for at, (payload, last) in enumerate(zip(payloads, range(len(payloads), 0, -1), strict=True))
    ]


async def flood(caller: Caller, mbit_s: float, seconds: float) -> None:
    await caller.play("RTP/AVP/TCP;interleaved=0-1")
    loop = asyncio.get_running_loop()
    began, sent, sequence, timestamp, picture = loop.time(), 0, 0, 0, coded(1)[0].data
    while (passed_s := loop.time() - began) < seconds:
        if sent * 8 > passed_s * mbit_s * 1e6:
            await asyncio.sleep(0.001)
            continue
        made = frames(picture, sequence, timestamp)
        caller.writer.write(b"".join(made))
        await caller.writer.drain()
        sent, sequence = sent + sum(map(len, made)), sequence + len(made)
        timestamp, picture = timestamp + 360, LARGE


async def main(mbit_s: float, seconds: float) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await flood(Caller(reader, writer), mbit_s, seconds)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2])))
