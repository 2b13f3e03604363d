"""JSON lines on the standard input of a child program, until its parent closes it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any


async def lines_of_stdin() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader(limit=1024 * 1024)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        async for text in reader:
            yield json.loads(text)
    finally:
        pipe.close()
