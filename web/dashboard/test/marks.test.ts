import { describe, expect, it } from "vitest";
import { apart } from "../src/labels";
import type { GroundPoint, Look, Mark } from "../src/marks/api";
import { momentOf, placeOf, pointAt } from "../src/marks/pixel";
import { facts, lookFreshness, lookSentence, refusal } from "../src/marks/sentences";
import { Marks } from "../src/marks/store";
import { viewPath } from "../src/symbols";

const WIDE = { width: 1600, height: 900 };

describe("a tap in the picture", () => {
  it.each([
    ["the whole stage", { width: 800, height: 450 }, 400, 225, { x: 0.5, y: 0.5 }],
    ["its corner", { width: 800, height: 450 }, 0, 0, { x: 0, y: 0 }],
    ["bars above and below", { width: 800, height: 850 }, 200, 200, { x: 0.25, y: 0 }],
    ["bars left and right", { width: 1000, height: 450 }, 900, 450, { x: 1, y: 1 }],
  ])("%s", (_, stage, left, top, point) => expect(pointAt(stage, WIDE, left, top)).toEqual(point));

  it("beside the picture is none", () => {
    expect(pointAt({ width: 800, height: 850 }, WIDE, 200, 199)).toBeNull();
    expect(pointAt({ width: 1000, height: 450 }, WIDE, 99, 10)).toBeNull();
    expect(pointAt({ width: 800, height: 450 }, { width: 0, height: 0 }, 10, 10)).toBeNull();
  });

  it("is marked where it was, however the stage is cut afterwards", () => {
    const point = pointAt({ width: 800, height: 850 }, WIDE, 200, 300);
    expect(point && placeOf({ width: 800, height: 850 }, WIDE, point)).toEqual([200, 300]);
    expect(point && placeOf({ width: 1600, height: 900 }, WIDE, point)).toEqual([400, 200]);
  });
});

describe("the picture that is pointed at", () => {
  const capture = { utcMs: 5000, origin: "arrival" } as const;

  it("is the shown one: by its timestamp, and by when it was taken", () => {
    const moment = momentOf({ rtpTimestamp: 7, capture }, 200, false);
    expect(moment).toEqual({ rtp_timestamp: 7, utc_ms: 4800 }); // the radio link is not in it
    expect(momentOf({ rtpTimestamp: null, capture }, 0, false)).toEqual({
      rtp_timestamp: null,
      utc_ms: 5000,
    });
  });

  it("is never taken for that of now", () => {
    expect(() => momentOf({ rtpTimestamp: null, capture: null }, 0, false)).toThrow("pose_stale");
    expect(() => momentOf({ rtpTimestamp: 7, capture }, 0, true)).toThrow("identical");
    expect(refusal("de", "identical")).toMatch(/dasselbe Bild/);
  });
});

const look = (reason: string): Look => ({
  reason,
  bearing_deg: 12,
  corners: [],
  cut: false,
  centre: null,
  slant_range_m: null,
  terrain: false,
});

describe("where the camera looks", () => {
  it("is told with the reason where it is not known", () => {
    expect(lookSentence("de", look("no_gimbal"))).toBe("Blickfeld unbekannt: keine Gimbal-Daten");
    expect(lookSentence("de", look("from_the_future"))).toBe("Blickfeld unbekannt: Angaben fehlen");
    expect(lookSentence("de", look(""))).toBeNull();
    expect(lookSentence("de", null)).toBeNull();
  });

  it("greys after two seconds and is gone after five", () => {
    expect([0, 2000, 2001, 5000, 5001, null].map(lookFreshness)).toEqual([
      "fresh", "fresh", "old", "old", "gone", "gone",
    ]); // prettier-ignore
  });
});

it("draws a direction as a line where the lens's angle is not known: nobody says that it takes in so much", () => {
  expect(viewPath(null)).toBe("M0 0V-90");
  expect(viewPath(60)).toMatch(/^M0 0L-45\.0 -77\.9A/);
});

describe("a refusal", () => {
  it.each([
    ["", "Server nicht erreicht. Noch einmal versuchen."],
    ["failed", "Nicht markiert. Noch einmal versuchen."],
  ])("%s is a sentence", (code, sentence) => expect(refusal("de", code)).toBe(sentence));

  it("names the reason", () => expect(refusal("de", "above_horizon")).toMatch(/Horizont/));
});

it("tells how far off a place may be, and what it was reckoned with", () => {
  const point = {
    error: { semi_major_m: 3.14, semi_minor_m: 2, bearing_deg: 0 },
    slant_range_m: 143.4,
    terrain: false,
  } as GroundPoint;
  expect(facts("de", point)).toBe("± 3,1 m · 143 m von der Kamera · Gelände eben angenommen");
});

it("leaves out texts that would lie on newer ones, and no others", () => {
  const box = (x: number, y = 0) => ({ x, y, width: 100, height: 30 });
  expect(apart([box(0), box(99), box(100), box(150), box(0, 30)])).toEqual([true, false, true, false, true]);
  expect(apart([])).toEqual([]);
});

describe("the marks", () => {
  const mark = (id: string, utc_ms: number, changes: Partial<Mark> = {}): Mark =>
    ({ id, utc_ms, label: "Brand", removed: false, ...changes }) as Mark;

  it("are set, renamed and taken away, the newest first", () => {
    const marks = new Marks();
    marks.replace([mark("a", 1), mark("b", 2)]);
    marks.take(mark("c", 3));
    marks.take(mark("a", 1, { label: "Person" }));
    expect(marks.list.map(({ id, label }) => `${id} ${label}`)).toEqual(["c Brand", "b Brand", "a Person"]);
    const before = marks.version;
    marks.take(mark("b", 2, { removed: true }));
    expect(marks.list.map(({ id }) => id)).toEqual(["c", "a"]);
    expect(marks.version).toBeGreaterThan(before);
  });
});
