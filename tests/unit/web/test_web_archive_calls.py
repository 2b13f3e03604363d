"""A disk that hangs is waited for by a bounded number of callers, and by none of them for long."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flow.errors import BusyError, LagebildError, MalformedError, NotFoundError, UnavailableError
from web.archive_calls import WAITING_MOST, DiskReads, in_time


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (MalformedError("/data/flights/x: no segment"), LagebildError, "recording_damaged"),
        (FileNotFoundError("/data"), NotFoundError, "not_found"),
        (PermissionError(13, "denied", "/data/flights"), UnavailableError, "disk_failed"),
        (NotFoundError("there is no such flight"), NotFoundError, "not_found"),
    ],
)
async def test_an_error_names_no_path(error: Exception, kind: type[LagebildError], code: str) -> None:
    reads = DiskReads()
    with pytest.raises(kind) as caught:
        await reads.call(raising, error)
    reads.close()
    assert (caught.value.code, "/data" in str(caught.value)) == (code, False)


async def test_the_archives_disk_is_no_fault_of_who_asks() -> None:
    async def full() -> None:
        raise LagebildError("recordings: /data: no space", code="disk_full")

    async def held() -> None:
        raise LagebildError("it is held", code="on_hold")

    with pytest.raises(UnavailableError) as caught:
        await in_time(full())
    assert (caught.value.code, "/data" in str(caught.value)) == ("disk_full", False)
    with pytest.raises(LagebildError, match="it is held"):
        await in_time(held())


async def test_a_disk_that_hangs_is_given_up_and_others_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_time, "__defaults__", (0.05,))
    reads, recovered = DiskReads(), threading.Event()
    hanging = [reads.call(recovered.wait) for _ in range(WAITING_MOST)]
    try:
        waited = await asyncio.gather(*hanging, return_exceptions=True)
        assert {getattr(each, "code", each) for each in waited} == {"archive_busy"}
        with pytest.raises(BusyError):
            await reads.call(recovered.is_set)
    finally:
        recovered.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await reads.call(recovered.is_set)
                break
            except BusyError:
                await asyncio.sleep(0.001)
    reads.close()
