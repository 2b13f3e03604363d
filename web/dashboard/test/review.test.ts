import { describe, expect, it } from "vitest";
import { camerasOf, momentIn, withMoment } from "../src/review/address";
import { linesOf } from "../src/review/flightMap";
import { rateFor } from "../src/review/inStep";
import { exactTime } from "../src/format";
import { Pictures } from "../src/rewind/pictures";
import type { Run } from "../src/rewind/plan";

const START = 1_795_330_000_000;
const ZERO_90K = START * 90;

interface Told {
  dts: number; // in pictures since the feed's first
  pts?: number;
  utcMs: number;
}

const LENGTH_90K = 3000;

/** A box as recordings/protocol/segment_index.py packs it, and a moof of another's making behind it. */
function fragment(told: readonly Told[]): Uint8Array {
  const size = 8 + 16 + 4 + 24 + told.length * 45;
  const bytes = new Uint8Array(size + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size);
  new TextEncoder().encodeInto("uuidlagebild-picture", bytes.subarray(4));
  const last = told.at(-1)?.dts ?? 0;
  view.setUint8(28, 1);
  view.setBigInt64(40, BigInt(ZERO_90K + (last + 1) * LENGTH_90K));
  view.setUint32(48, told.length);
  told.forEach(({ dts, pts = dts, utcMs }, i) => {
    view.setBigInt64(52 + i * 45, BigInt(ZERO_90K + dts * LENGTH_90K));
    view.setBigInt64(60 + i * 45, BigInt(ZERO_90K + pts * LENGTH_90K));
    view.setBigInt64(68 + i * 45, BigInt(Math.round((START + utcMs) * 1000)) * 1000n);
  });
  view.setUint32(size, 12);
  new TextEncoder().encodeInto("moof", bytes.subarray(size + 4));
  return bytes;
}

const joined = (...parts: Uint8Array[]): ArrayBuffer => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all.buffer;
};

const run = (mediaMs: number, keyframe: boolean): Run =>
  ({ fragments: [{ mediaMs, keyframe }], from: 0, to: 0 }) as unknown as Run;

describe("the pictures of fragments", () => {
  const picture = (n: number): number => (n * 1000) / 30;

  it("are named by their own time, however that jitters", () => {
    const pictures = new Pictures();
    const told = [0, 1, 2].map((dts) => ({ dts, utcMs: picture(dts) + [0, 7.25, -3][dts]! }));
    pictures.take(run(0, true), joined(fragment(told), fragment([{ dts: 3, utcMs: 103.5 }])));
    expect(pictures.covering(picture(1) + 20)?.utcMs).toBeCloseTo(START + picture(1) + 7.25, 2);
    expect(pictures.covering(picture(2) - 0.001)?.mediaMs).toBeCloseTo(picture(2)); // told in microseconds
    expect(pictures.covering(picture(3) + 1)?.utcMs).toBeCloseTo(START + 103.5, 2);
    expect(pictures.covering(picture(4) + 1)).toBeNull();
  });

  it("follow each other in the order of showing, not of sending", () => {
    const pictures = new Pictures();
    const told = [
      { dts: 0, pts: 1, utcMs: 0 }, // shown as its group begins, though a picture later than sent
      { dts: 1, pts: 4, utcMs: 100 },
      { dts: 2, pts: 2, utcMs: 33 },
      { dts: 3, pts: 3, utcMs: 66 },
    ];
    pictures.take(run(0, true), joined(fragment(told)));
    const order: number[] = [];
    for (let one = pictures.covering(0); one; one = pictures.after(one)) order.push(one.utcMs - START);
    expect(order).toEqual([0, 33, 66, 100]);
    const last = pictures.covering(picture(3));
    expect(last && pictures.before(last)?.utcMs).toBe(START + 66);
  });

  it("do not adjoin across what is missing", () => {
    const pictures = new Pictures();
    pictures.take(run(0, true), joined(fragment([{ dts: 0, utcMs: 0 }])));
    pictures.take(run(picture(9), true), joined(fragment([{ dts: 9, utcMs: 300 }])));
    const [first, later] = [pictures.covering(1), pictures.covering(picture(9) + 1)];
    expect([first && pictures.after(first), later && pictures.before(later)]).toEqual([null, null]);
    expect(pictures.takenAt(START + 310)).toBe(later);
    expect(pictures.takenAt(START + 200)).toBeNull();
  });

  it("count from the feed's first picture also where a run goes on within a group", () => {
    const pictures = new Pictures();
    pictures.take(run(picture(3), false), joined(fragment([{ dts: 3, utcMs: 100 }])));
    expect(pictures.covering(picture(3) + 1)).toBeNull(); // nobody knows yet where that is
    pictures.take(run(picture(6), true), joined(fragment([{ dts: 6, utcMs: 200 }])));
    pictures.take(run(picture(7), false), joined(fragment([{ dts: 7, utcMs: 233 }])));
    expect(pictures.covering(picture(7) + 1)?.utcMs).toBe(START + 233);
  });

  it("are nothing in bytes that are torn or of others", () => {
    const pictures = new Pictures();
    const whole = fragment([{ dts: 0, utcMs: 0 }]);
    for (let length = 0; length < whole.length - 12; length++)
      pictures.take(run(0, true), joined(whole.slice(0, length)));
    pictures.take(run(0, true), new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4]).buffer);
    expect(pictures.covering(1)).toBeNull();
  });
});

describe("cameras in step", () => {
  it("are left alone within a fraction of a picture", () => {
    expect([rateFor(5, 1), rateFor(-5, 8)]).toEqual([1, 8]);
  });

  it("slow down when ahead, hurry when behind, and never stand still", () => {
    expect(rateFor(96, 1)).toBeCloseTo(0.76);
    expect(rateFor(-96, 1)).toBeCloseTo(1.24);
    expect([rateFor(5000, 2), rateFor(-5000, 2)]).toEqual([1, 3]);
  });
});

describe("the address", () => {
  it("leads to the same picture again", () => {
    const search = withMoment("?x=1", { utcMs: START + 33.333, feed: "fritz-tag" });
    expect(search).toBe(`?x=1&t=${START + 34}&feed=fritz-tag`);
    expect(momentIn(search)).toEqual({ utcMs: START + 34, feed: "fritz-tag" });
  });

  it("may be of no moment, or nonsense", () => {
    for (const search of ["", "?t=", "?t=soon", "?t=NaN"])
      expect(momentIn(search)).toEqual({ utcMs: null, feed: null });
  });

  it("names a camera that has pictures, or the first that has", () => {
    const feed = (id: string, pictures = 5): { id: string; pictures: number } => ({ id, pictures });
    const five = ["a", "b", "c", "d", "e"].map((id) => feed(id));
    expect(camerasOf(five, "e")).toEqual({ shown: ["a", "b", "c", "e"], main: "e" });
    expect(camerasOf([feed("dark", 0), feed("b")], "dark")).toEqual({ shown: ["b"], main: "b" });
    expect(camerasOf([feed("dark", 0)], null)).toEqual({ shown: ["dark"], main: "dark" });
    expect(camerasOf([], null)).toEqual({ shown: [], main: "" });
  });
});

it("draws the way without what is not known, and not round the world at the date line", () => {
  const point = (utc_ms: number, lon_deg: number | null): never => ({ utc_ms, lat_deg: 1, lon_deg }) as never;
  const points = [
    point(0, 179.9),
    point(1, 180),
    point(2, -179.9),
    point(3, null),
    point(4, -179.8),
    point(9, -179.7),
  ];
  expect(linesOf({ points, cut_ms: [8] })).toEqual([
    [
      [179.9, 1],
      [180, 1],
    ],
    [[-179.9, 1]],
    [[-179.8, 1]],
    [[-179.7, 1]],
  ]);
});

it("names a moment to the millisecond, cut off", () => {
  expect(exactTime("de", START + 87.96, "UTC")).toMatch(/:\d\d,087$/);
  expect(exactTime("en", START + 999.99, "UTC")).toMatch(/\.999$/);
});
