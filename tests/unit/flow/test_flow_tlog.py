"""Records of a .tlog, whole and damaged, and against pymavlink's reader."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pymavlink import mavutil

from flow.codec.tlog import TlogSplitter, is_tlog, read_tlog, write_record

NOW_US = 1_795_322_940_500_000
HEARTBEAT = bytes.fromhex("fe 09 00 01 01 00 00000000 02 03 51 04 03 1c7f")  # MAVLink 1
SHORT = bytes.fromhex("fd 01 00 00 05 01 01 000000 06 1234")  # MAVLink 2, trailing zeros not sent
SIGNED = bytes.fromhex("fd 01 01 00 06 01 01 000000 06 1234") + bytes(13)  # MAVLink 2 message signing
MESSAGES = [HEARTBEAT, SHORT, SIGNED] * 2000
RECORDS = [(NOW_US + 1000 * index, message) for index, message in enumerate(MESSAGES)]
LOG = b"".join(write_record(*record) for record in RECORDS)


def test_layout() -> None:
    assert write_record(0x0102030405060708, SHORT) == bytes.fromhex("0102030405060708") + SHORT


def test_reading_gives_what_was_written() -> None:
    assert list(read_tlog(LOG)) == RECORDS
    assert list(read_tlog(BytesIO(LOG))) == RECORDS
    assert list(read_tlog(b"")) == []


def test_junk_between_records_is_passed_over() -> None:
    first = len(write_record(*RECORDS[0]))
    log = b"junk" * 100 + LOG[:first] + b"\xfe\xfd" * 1000 + LOG[first:]
    assert list(read_tlog(log)) == RECORDS


@pytest.mark.parametrize("size", [1, 2, 9, 50, 5000])
def test_slices_of_any_size_give_the_same_records(size: int) -> None:
    first = len(write_record(*RECORDS[0]))
    log = LOG[:first] + b"\xfe\xfd" * 100 + LOG[first:20_000]
    splitter = TlogSplitter()
    slices = [splitter.push(log[at : at + size]) for at in range(0, len(log), size)]
    found = [record for records in slices for record in records]
    assert len(found) > 500
    assert found == RECORDS[: len(found)]
    assert len(splitter.push(LOG[20_000:])) > 1000


@pytest.mark.parametrize("cut", [1, 2, 7, 20])
def test_a_record_cut_off_at_the_end_is_left_out(cut: int) -> None:
    assert list(read_tlog(LOG[:-cut])) == RECORDS[:-1]


def test_recognising_a_tlog() -> None:
    assert is_tlog(LOG[:1024])
    assert not is_tlog(b"".join(MESSAGES[:30]))
    assert not is_tlog(b"")
    assert not is_tlog(LOG[:20])


@pytest.mark.feeds
@pytest.mark.parametrize(
    "name", ["plane_real_sydney_2012_mavlink1", "quadplane_sitl_2018", "sub_real_bluerov_2024_nogps"]
)
def test_real_logs_give_pymavlinks_messages(feeds: Path, name: str) -> None:
    path = feeds / f"telemetry/{name}.tlog"
    log = mavutil.mavlink_connection(str(path))
    for utc_us, message in list(read_tlog(path.read_bytes()))[:5000]:
        theirs = log.recv_msg()
        assert bytes(theirs.get_msgbuf()) == message
        assert round(theirs._timestamp * 1e6) == utc_us
    log.close()


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("name", "records", "junk"),
    [("plane_real_cuav_2016_multilink", 32_078, 0), ("copter_real_cmac_2015", 76_791, 19)],
    ids=["both versions on several links", "damaged while written"],
)
def test_real_logs_are_read_to_the_end(feeds: Path, name: str, records: int, junk: int) -> None:
    data = (feeds / f"telemetry/{name}.tlog").read_bytes()
    assert is_tlog(data[:1024])
    ours = list(read_tlog(data))
    assert len(ours) == records
    assert sum(8 + len(message) for _, message in ours) == len(data) - junk


@pytest.mark.feeds
def test_a_raw_mavlink_stream_is_no_tlog(feeds: Path) -> None:
    with (feeds / "telemetry/plane_real_cuav_2018_notimestamps.mavlink").open("rb") as stream:
        assert not is_tlog(stream.read(1024))


@pytest.mark.parametrize("cut", [0, 1, 9, 20])
def test_where_the_last_whole_record_ends(cut: int) -> None:
    splitter = TlogSplitter()
    for at in range(0, len(LOG) - cut, 1000):
        splitter.push(LOG[at : min(at + 1000, len(LOG) - cut)])
    assert splitter.whole_bytes == len(LOG) - (len(write_record(*RECORDS[-1])) if cut else 0)
