"""Where a stretch is cut: of any stream and any stretch, each picture once, and no copy refers to what is
not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.export.cut import Run, runs, whole, within


@dataclass
class Stream:
    """Pictures in the order of decoding: when each is shown, and the pictures it refers to."""

    shown: list[int] = field(default_factory=list)
    refers: list[tuple[int, ...]] = field(default_factory=list)
    keyframes: list[int] = field(default_factory=list)
    next_shown: int = 0

    def group(self, b_frames: list[int], leading: int) -> None:
        """A keyframe, shown after so many pictures decoded after it, then anchors with B-frames between."""
        before = self.anchor
        leading = leading if before is not None else 0
        key = self._add(self.next_shown + leading, ())
        self.keyframes.append(key)
        for number in range(leading):
            self._add(self.next_shown + number, (key, before or 0))
        self.next_shown += leading + 1
        anchor = key
        for between in b_frames:
            following = self._add(self.next_shown + between, (anchor,))
            for number in range(between):
                self._add(self.next_shown + number, (anchor, following))
            self.next_shown += between + 1
            anchor = following
        self.anchor = anchor

    anchor: int | None = None

    def _add(self, shown: int, refers: tuple[int, ...]) -> int:
        self.shown.append(shown)
        self.refers.append(refers)
        return len(self.shown) - 1


groups = st.tuples(st.lists(st.integers(0, 3), max_size=4), st.integers(0, 2))


def meant(run: Run, stream: Stream) -> list[int]:
    return [n for n in range(run.first, run.end) if run.from_90k <= stream.shown[n] <= run.to_90k]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(groups, min_size=1, max_size=6), st.integers(0, 200), st.integers(0, 200), st.integers(0, 63))
def test_each_picture_once_and_no_copy_without_what_it_refers_to(
    made: list[Any], one: int, other: int, mends: int
) -> None:
    stream = Stream()
    for b_frames, leading in made:
        stream.group(b_frames, leading)
    pts = np.array(stream.shown)
    low, high = sorted((one % len(pts), other % len(pts)))
    recovery_points = {key for n, key in enumerate(stream.keyframes) if mends >> n & 1}
    cut = runs(pts, stream.keyframes, (low, high), lambda number: number not in recovery_points)
    taken = [n for run in cut for n in meant(run, stream)]
    assert sorted(stream.shown[n] for n in taken) == list(range(low, high + 1))
    for run in (run for run in cut if run.copied):
        copied = meant(run, stream)
        assert run.first in stream.keyframes
        assert run.first not in recovery_points
        assert all(set(stream.refers[n]) <= set(copied) for n in copied)
    assert [run.copied for run in cut].count(True) <= 1


def test_a_stretch_is_from_its_first_picture_to_its_last() -> None:
    pts, utc = np.array([10, 30, 20, 40]), np.array([100, 300, 200, 400])
    assert within(pts, utc, 200, 301) == (20, 30)
    assert within(pts, utc, 301, 400) is None
    assert whole(pts, (20, 30)) == Run(False, 1, 3, 20, 30)
