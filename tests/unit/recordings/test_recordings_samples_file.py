"""A stretch of a flight's telemetry is found without reading what comes before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.samples import Group, Place, TelemetrySample
from recordings.protocol.lines import line_of
from recordings.samples_file import SAMPLES_MOST, SPAN_MOST_NS, samples_between
from tests.fakes.clock import START_NS

STEP_NS = NS_PER_S // 10


def sample(n: int) -> TelemetrySample:
    at = START_NS + n * STEP_NS
    return TelemetrySample(
        "otto", at, lat_deg=49.4, lon_deg=7.7, mode="POSHOLD", armed=True, home=Place(49.4, 7.7, 240.0),
        received_ns={Group.POSITION: at},
    )  # fmt: skip


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flight") / "samples.jsonl"
    lines = [line_of(sample(n)) for n in range(20_000)]
    lines[11_000] = b'{"type":"TelemetrySample","item":{"utc_ns":"no"}}\n'
    lines[12_000] = b"\xff\x00 what a power cut leaves\n"
    lines.append(b'{"type":"TelemetrySample","item":{"aircra')
    path.write_bytes(b"".join(lines))
    return path


@pytest.mark.parametrize("first", [0, 1, 4999, 10_500, 17_777, 19_990])
def test_it_begins_with_the_newest_one_before(two_hours: Path, first: int) -> None:
    from_ns = START_NS + first * STEP_NS + STEP_NS // 2
    run = samples_between(two_hours, from_ns, from_ns + NS_PER_S)
    assert run.samples == [sample(n) for n in range(first, min(first + 11, 20_000))]
    assert not run.cut


def test_what_is_no_sample_is_passed_over(two_hours: Path) -> None:
    for gone in (11_000, 12_000):
        run = samples_between(two_hours, START_NS + (gone - 1) * STEP_NS, START_NS + (gone + 1) * STEP_NS)
        assert (run.samples, run.bad) == ([sample(gone - 1), sample(gone + 1)], 1)


def test_an_answer_is_bounded_and_says_so(two_hours: Path) -> None:
    run = samples_between(two_hours, START_NS, START_NS + 10 * SPAN_MOST_NS)
    assert run.cut
    assert SAMPLES_MOST <= len(run.samples) <= SAMPLES_MOST + 1
    assert run.samples[0] == sample(0)


def test_outside_of_the_flight_there_is_the_last_sample_or_none(two_hours: Path, tmp_path: Path) -> None:
    assert samples_between(two_hours, START_NS - 9, START_NS - 1).samples == []
    end_ns = START_NS + 30_000 * STEP_NS
    assert samples_between(two_hours, end_ns, end_ns + 1).samples == [sample(19_999)]
    assert samples_between(tmp_path / "none.jsonl", START_NS, end_ns).samples == []


def test_a_file_without_a_single_line_end_is_no_trap(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b"x" * 3_000_000)
    assert samples_between(path, START_NS, START_NS + NS_PER_S).samples == []


def test_a_link_is_not_followed(two_hours: Path, tmp_path: Path) -> None:
    link = tmp_path / "samples.jsonl"
    link.symlink_to(two_hours)
    with pytest.raises(OSError, match="symbolic links"):
        samples_between(link, START_NS, START_NS + NS_PER_S)
