import { describe, expect, it } from "vitest";
import type { RecordingView, SegmentView } from "../src/rewind/api";
import { ago, Course, destination, momentAt, shareOf } from "../src/rewind/course";
import { expendable, holeAt, isAtEnd, nextRun, placeAfter } from "../src/rewind/plan";
import { PastSamples } from "../src/rewind/samples";
import { Timeline } from "../src/rewind/timeline";
import { ticksOf } from "../src/rewind/ticks";
import type { Mark } from "../src/marks/api";
import { sample } from "./samples";

const START = 1_795_330_000_000;
const HALF_S = 500;
const SIZE = 100_000;

/** A segment of half seconds, a keyframe every two seconds; it begins `fromS` after the flight's start. */
function segment(number: number, fromS: number, seconds: number): SegmentView {
  const numbers = Array.from({ length: seconds * 2 }, (_, i) => i);
  return {
    number,
    url: `/${number}.mp4`,
    mime: 'video/mp4; codecs="avc1.42c01f"',
    start_ms: START + fromS * 1000,
    end_ms: START + (fromS + seconds) * 1000,
    media_start_ms: fromS * 1000,
    init_bytes: 700,
    open: false,
    fragments: {
      offset: numbers.map((i) => 700 + i * SIZE),
      size: numbers.map(() => SIZE),
      media_ms: numbers.map((i) => fromS * 1000 + i * HALF_S),
      utc_ms: numbers.map((i) => START + fromS * 1000 + i * HALF_S),
      keyframe: numbers.map((i) => i % 4 === 0),
    },
  };
}

const view = (segments: SegmentView[], ended = true): RecordingView => ({
  flight_id: "20261122t044900z-fritz",
  feed_id: "fritz-tag",
  started_ms: START,
  ended_ms: ended ? (segments.at(-1)?.end_ms ?? START) : null,
  playable: true,
  reason: "",
  segments,
});

/** Only the fragments between two seconds, as the service answers. */
function within(all: SegmentView, fromS: number, toS: number): SegmentView {
  const kept = all.fragments.utc_ms.flatMap((ms, i) =>
    ms >= START + fromS * 1000 && ms < START + toS * 1000 ? [i] : [],
  );
  const of = <T>(column: T[]): T[] => kept.map((i) => column[i] as T);
  const { offset, size, media_ms, utc_ms, keyframe } = all.fragments;
  const fragments = {
    offset: of(offset),
    size: of(size),
    media_ms: of(media_ms),
    utc_ms: of(utc_ms),
    keyframe: of(keyframe),
  };
  return { ...all, fragments };
}

const span = (fromS: number, toS: number): { fromMs: number; toMs: number } => ({
  fromMs: START + fromS * 1000,
  toMs: START + toS * 1000,
});

/** Twenty seconds, twelve of nothing, twenty seconds. */
function interrupted(): Timeline {
  const timeline = new Timeline();
  timeline.take(view([segment(1, 0, 20), segment(2, 32, 20)]), span(0, 60));
  return timeline;
}

describe("the timeline", () => {
  it("ties media time to UTC, both ways", () => {
    const timeline = interrupted();
    expect(timeline.utcAt(3_733.4)).toBeCloseTo(START + 3_733.4);
    expect(timeline.mediaAt(START + 40_100)).toBeCloseTo(40_100);
    expect(timeline.utcAt(33_000)).toBe(START + 33_000);
  });

  it("goes by each fragment's own time: the two clocks drift apart", () => {
    const drifting = segment(1, 0, 20);
    drifting.fragments.utc_ms = drifting.fragments.utc_ms.map((ms, i) => ms + i * 2);
    const timeline = new Timeline();
    timeline.take(view([drifting]), span(0, 60));
    expect(timeline.utcAt(10_100)).toBeCloseTo(START + 10_100 + 20 * 2);
    expect(timeline.mediaAt(START + 10_140)).toBeCloseTo(10_100);
  });

  it("shows no moment twice where the camera's clock was set back", () => {
    const stepped = segment(1, 0, 4);
    stepped.fragments.utc_ms = stepped.fragments.utc_ms.map((ms, i) => (i < 4 ? ms : ms - 200));
    const timeline = new Timeline();
    timeline.take(view([stepped]), span(0, 60));
    expect(timeline.utcAt(1_999)).toBe(START + 1800);
  });

  it("knows its gaps, and none shorter than a second", () => {
    expect(interrupted().gaps).toEqual([span(20, 32)]);
    const timeline = new Timeline();
    timeline.take(view([segment(1, 0, 20), segment(2, 20.9, 5)]), null);
    expect(timeline.gaps).toEqual([]);
  });

  it("says that it does not know what was not asked for", () => {
    const timeline = new Timeline();
    const whole = segment(1, 0, 600);
    timeline.take(view([within(whole, 100, 160)]), span(100, 160));
    expect(timeline.knows(START + 99_000)).toBe(false);
    expect(timeline.knows(START + 159_900)).toBe(true);
    expect(timeline.knows(START + 160_000)).toBe(false);
    expect(timeline.utcAt(20_000)).toBeNull();
  });

  it("grows by what adjoins, and begins anew elsewhere", () => {
    const timeline = new Timeline();
    const whole = segment(1, 0, 600);
    timeline.take(view([within(whole, 100, 160)]), span(100, 160));
    timeline.take(view([within(whole, 158, 220)]), span(160, 220)); // reaching back to the keyframe
    expect(timeline.fragments).toHaveLength(240);
    expect(timeline.knows(START + 101_000)).toBe(true);
    timeline.take(view([within(whole, 400, 430)]), span(400, 430));
    expect(timeline.fragments).toHaveLength(60);
    expect(timeline.knows(START + 101_000)).toBe(false);
  });

  it("stays bounded however long it is played", () => {
    const timeline = new Timeline();
    const whole = segment(1, 0, 4000);
    for (let s = 0; s < 4000; s += 60) timeline.take(view([within(whole, s, s + 60)]), span(s, s + 60));
    expect(timeline.fragments.length).toBeLessThanOrEqual(1200);
    expect(timeline.knows(START + 10_000)).toBe(false);
    expect(timeline.knows(START + 3_999_000)).toBe(true);
  });

  it("asks ahead of playing, for what has not been written as well", () => {
    const timeline = new Timeline();
    expect(timeline.wanted(START + 50_000, null)).toEqual(span(20, 110));
    timeline.take(view([segment(1, 0, 100)], false), span(20, 110));
    expect(timeline.wanted(START + 50_000, 50_000)).toBeNull();
    expect(timeline.wanted(START + 90_000, 90_000)).toEqual(span(100, 160));
    timeline.take(view([segment(1, 0, 100)], true), span(100, 160));
    expect(timeline.wanted(START + 90_000, 90_000)).toBeNull(); // it has ended: there is no more
  });

  it("asks for the pictures behind a gap that a seek leads into, however long that is", () => {
    const timeline = new Timeline();
    const [before, behind] = [segment(1, 0, 100), segment(2, 8000, 100)]; // two hours of nothing
    timeline.take(view([before, behind]), null);
    expect(timeline.gapAt(START + 4_000_000)).toEqual(span(100, 8000));
    expect(timeline.wanted(START + 4_000_000, null)).toEqual(span(8000, 8060));
    timeline.take(view([within(before, 0, 0), within(behind, 8000, 8060)]), span(8000, 8060));
    expect(timeline.wanted(START + 4_000_000, 8_000_000)).toBeNull();
    expect([timeline.mediaAt(START + 8_000_000), timeline.knows(START + 101_000)]).toEqual([8_000_000, true]);
  });

  it("plays up to a gap, and knows what comes behind it before that is played", () => {
    const timeline = new Timeline();
    const [before, behind] = [segment(1, 0, 100), segment(2, 8000, 100)];
    timeline.take(view([before, behind]), null);
    expect(timeline.wanted(START + 90_000, null)).toEqual(span(60, 100)); // not an hour of nothing
    timeline.take(view([within(before, 60, 100), within(behind, 0, 0)]), span(60, 100));
    expect(timeline.wanted(START + 90_000, 90_000)).toEqual(span(8000, 8060));
    timeline.take(view([within(before, 0, 0), within(behind, 8000, 8060)]), span(8000, 8060));
    expect(timeline.fragments.map(({ mediaMs }) => mediaMs)).toContain(99_500);
    const buffered = [{ start: 60_000, end: 100_000 }];
    expect(holeAt(timeline.fragments, buffered, 99_990)).toEqual({ start: 100_000, end: 8_000_000 });
  });

  it("takes the service's word for gaps: those within a segment are none of its", () => {
    const timeline = new Timeline();
    const told: [number, number][] = [[START + 30_000, START + 34_000]];
    timeline.take({ ...view([segment(1, 0, 100)]), gaps: told }, null);
    expect(timeline.gaps).toEqual([span(30, 34)]);
    expect([timeline.gapAt(START + 33_999), timeline.gapAt(START + 34_000)]).toEqual([span(30, 34), null]);
  });

  it("tells a gap that somebody wanted from one that nobody did", () => {
    const timeline = new Timeline();
    const at = (s: number): number => START + s * 1000;
    const gaps: [number, number][] = [
      [at(30), at(40)],
      [at(60), at(64)],
    ];
    const told: RecordingView = { ...view([segment(1, 0, 100)]), gaps, withheld: [[at(29.9), at(38.5)]] };
    timeline.take(told, null);
    expect(timeline.gaps.map((gap) => gap.withheld ?? false)).toEqual([true, false]);
    timeline.take({ ...told, withheld: [[at(50), null]] }, null);
    expect(timeline.gaps.map((gap) => gap.withheld ?? false)).toEqual([false, true]);
  });

  it("asks wider where there was nothing", () => {
    const timeline = new Timeline();
    timeline.take(view([within(segment(1, 0, 1000), 0, 0)]), span(400, 490));
    const wanted = timeline.wanted(START + 430_000, null);
    expect(wanted?.fromMs).toBeLessThan(START + 400_000);
    expect(wanted?.toMs).toBeGreaterThan(START + 490_000);
  });
});

describe("what is fetched next", () => {
  const { fragments } = interrupted();

  it("is the target from its keyframe, little of it at first", () => {
    const run = nextRun(fragments, [], 7_600, 1, null);
    expect(run?.fragments[0]).toMatchObject({ mediaMs: 6000, keyframe: true });
    expect(run?.fragments.at(-1)?.mediaMs).toBe(8000);
    expect([run?.from, run?.to]).toEqual([700 + 12 * SIZE, 700 + 17 * SIZE]);
  });

  it("goes on where the last run ended, without the keyframe", () => {
    const last = fragments[14];
    const run = nextRun(fragments, [{ start: 6000, end: 7500 }], 7_400, 1, last ? placeAfter(last) : null);
    expect(run?.fragments[0]?.mediaMs).toBe(7500);
  });

  it("takes the keyframe again after anything else was appended", () => {
    const run = nextRun(fragments, [{ start: 6000, end: 7500 }], 7_400, 1, "9:1");
    expect(run?.fragments[0]?.mediaMs).toBe(6000);
  });

  it("ends with its segment: another has its own header", () => {
    const run = nextRun(fragments, [{ start: 18_000, end: 19_000 }], 18_500, 1, null);
    expect(run?.fragments.at(-1)?.mediaMs).toBe(19_500);
    expect(run?.fragments.every((one) => one.segment.number === 1)).toBe(true);
  });

  it("is what comes after a gap, once there is nothing before it", () => {
    const run = nextRun(fragments, [{ start: 18_000, end: 20_000 }], 19_000, 2, null);
    expect(run?.fragments[0]).toMatchObject({ mediaMs: 32_000, keyframe: true });
    expect(nextRun(fragments, [{ start: 18_000, end: 20_000 }], 19_000, 1, null)).toBeNull(); // not yet
  });

  it("is nothing while enough is there, more at a higher speed", () => {
    const buffered = [{ start: 0, end: 15_000 }];
    expect(nextRun(fragments, buffered, 1_000, 1, null)).toBeNull();
    expect(nextRun(fragments, buffered, 1_000, 4, null)?.fragments[0]?.mediaMs).toBe(14_000);
  });

  it("is bounded in bytes, and goes on behind what a long group has taken", () => {
    const long = segment(1, 0, 20);
    long.fragments.keyframe = long.fragments.keyframe.map((_, i) => i === 0);
    long.fragments.size = long.fragments.size.map(() => 1_500_000);
    long.fragments.offset = long.fragments.offset.map((_, i) => 700 + i * 1_500_000);
    const timeline = new Timeline();
    timeline.take(view([long]), span(0, 60));
    let [end, after, runs]: [number, string | null, number] = [0, null, 0];
    while (end <= 9_000) {
      const run = nextRun(timeline.fragments, end ? [{ start: 0, end }] : [], 9_000, 1, after);
      const last = run?.fragments.at(-1);
      if (!run || !last) break;
      expect(run.to - run.from).toBeLessThanOrEqual(4 * 1024 * 1024);
      [end, after, runs] = [last.mediaMs + HALF_S, placeAfter(last), runs + 1];
    }
    expect(end).toBeGreaterThan(9_000);
    expect(runs).toBeLessThan(12);
  });

  it("is nothing where the window begins behind the keyframe", () => {
    expect(nextRun(fragments.slice(1, 3), [], 700, 1, null)).toBeNull();
  });
});

describe("what is in memory", () => {
  it("is bounded behind and ahead", () => {
    expect(expendable([{ start: 0, end: 200_000 }], 100_000)).toEqual([
      { start: 0, end: 70_000 },
      { start: 160_000, end: 200_000 },
    ]);
    expect(expendable([{ start: 80_000, end: 110_000 }], 100_000)).toEqual([]);
  });

  it("is only what is shown where there is no room", () => {
    expect(expendable([{ start: 0, end: 120_000 }], 100_000, true)).toEqual([
      { start: 0, end: 99_000 },
      { start: 101_000, end: 120_000 },
    ]);
  });
});

describe("gaps in playing", () => {
  const { fragments } = interrupted();

  it("are met at the end of what was recorded before them", () => {
    const buffered = [{ start: 10_000, end: 20_000 }];
    expect(holeAt(fragments, buffered, 19_980)).toEqual({ start: 20_000, end: 32_000 });
    expect(holeAt(fragments, buffered, 15_000)).toBeNull();
  });

  it("are met by a seek into them", () => {
    expect(holeAt(fragments, [{ start: 18_000, end: 20_000 }], 26_000)).toEqual({
      start: 20_000,
      end: 32_000,
    });
  });

  it("are not what has only not been fetched yet", () => {
    expect(holeAt(fragments, [{ start: 10_000, end: 12_000 }], 11_990)).toBeNull();
    expect(holeAt(fragments, [], 11_990)).toBeNull();
  });

  it("are not the end", () => {
    const buffered = [{ start: 40_000, end: 52_000 }];
    expect(isAtEnd(fragments, buffered, 51_900)).toBe(true);
    expect(isAtEnd(fragments, buffered, 45_000)).toBe(false);
    expect(isAtEnd(fragments, [{ start: 10_000, end: 20_000 }], 19_990)).toBe(false);
  });
});

describe("the course", () => {
  const recorded = span(0, 300);

  it("adds up steps that come before the picture", () => {
    const course = new Course();
    course.show(START + 100_000);
    for (let i = 0; i < 3; i++) course.seek(destination(course.momentMs, -10_000, recorded) ?? 0);
    expect(course.momentMs).toBe(START + 70_000);
    course.show(START + 69_980);
    expect([course.soughtMs, course.momentMs]).toEqual([null, START + 69_980]);
  });

  it("does not leave the recording backwards, and leads to live forwards", () => {
    expect(destination(START + 5_000, -10_000, recorded)).toBe(START);
    expect(destination(START + 280_000, 10_000, recorded)).toBe(START + 290_000);
    expect(destination(START + 295_000, 10_000, recorded)).toBeNull();
  });

  it("is over when playing catches up, not while it stands still or looks for a picture", () => {
    const course = new Course();
    course.show(START + 299_500);
    expect(course.isOver(START + 300_000, false)).toBe(true);
    expect(course.isOver(START + 310_000, false)).toBe(false);
    expect(course.isOver(START + 310_000, true)).toBe(true); // the flight has ended
    course.paused = true;
    expect(course.isOver(START + 300_000, true)).toBe(false);
    course.paused = false;
    course.seek(START + 299_900);
    expect(course.isOver(START + 300_000, true)).toBe(false);
  });

  it("has four speeds", () => {
    const course = new Course();
    const speeds = Array.from({ length: 5 }, () => (course.nextSpeed(), course.speed));
    expect(speeds).toEqual([2, 4, 0.5, 1, 2]);
  });

  it("is drawn to scale", () => {
    expect(shareOf(START + 150_000, recorded)).toBe(0.5);
    expect(shareOf(START - 1, recorded)).toBe(0);
    expect(momentAt(0.5, recorded)).toBe(START + 150_000);
    expect(momentAt(1, recorded)).toBeNull();
    expect([ago(42_000), ago(725_000), ago(3_725_000), ago(-5)]).toEqual([
      "0:42",
      "12:05",
      "1:02:05",
      "0:00",
    ]);
  });
});

describe("telemetry of the past", () => {
  const line = (fromS: number, toS: number): ReturnType<typeof sample>[] =>
    Array.from({ length: (toS - fromS) * 10 }, (_, i) => {
      const utc_ms = START + fromS * 1000 + i * 100;
      return sample({ utc_ms, alt_home_m: (utc_ms - START) / 1000 });
    });
  const NOW = START + 600_000;

  it("is fetched for the moment, and before it is needed", () => {
    const past = new PastSamples();
    const first = past.wanted(START + 100_000, NOW);
    expect(first).toEqual(span(99, 119));
    expect(past.at(START + 100_000)).toBeNull();
    past.take(first ?? span(0, 0), line(99, 119));
    expect(past.wanted(START + 100_000, NOW)).toBeNull();
    expect(past.at(START + 100_050)?.alt_home_m).toBeCloseTo(100.05);
    expect(past.wanted(START + 115_000, NOW)).toEqual(span(119, 139));
    past.take(span(119, 139), line(119, 139));
    expect(past.at(START + 119_000)?.alt_home_m).toBeCloseTo(119);
  });

  it("is unknown elsewhere, whatever was told then", () => {
    const past = new PastSamples();
    past.take(span(99, 119), line(99, 119));
    expect(past.at(START + 50_000)).toBeNull();
    past.take(span(49, 69), line(49, 69));
    expect(past.at(START + 50_000)?.alt_home_m).toBeCloseTo(50);
    expect(past.at(START + 110_000)).toBeNull();
  });

  it("of just now is what was told last, until more is written", () => {
    const past = new PastSamples();
    const wanted = past.wanted(NOW - 3000, NOW);
    expect(wanted?.toMs).toBe(NOW - 1500);
    past.take(wanted ?? span(0, 0), line(590, 598));
    expect(past.at(NOW - 1000)?.utc_ms).toBe(START + 597_900);
  });
});

it("marks what may be looked at again: marks of this aircraft, and its alarms once each", () => {
  const mark = (aircraft_id: string, utc_ms: number): Mark => ({ aircraft_id, utc_ms }) as Mark;
  expect(ticksOf("fritz", [mark("fritz", 5), mark("otto", 6)], [7, 7, 9])).toEqual([
    { kind: "mark", utcMs: 5 },
    { kind: "alarm", utcMs: 7 },
    { kind: "alarm", utcMs: 9 },
  ]);
});
