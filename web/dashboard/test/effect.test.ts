import { describe, expect, it } from "vitest";
import { levels, stair } from "../src/effect/charts";
import type { Effect, Summary } from "../src/effect/api";
import { ageBars, facts, figures, joinBars, shortTime, ticks } from "../src/effect/sentences";

const summary: Summary = {
  viewings: 12,
  hours: 3.5,
  joins: 11,
  join_p50_ms: 64.3,
  join_p95_ms: 1240,
  without_picture: 1,
  ages: [9000, 900, 90, 0, 0, 0, 0, 9, 0, 1],
  age_edges_ms: [100, 200, 300, 500, 750, 1000, 2000, 5000, 10_000],
  interruptions: 3,
  interrupted_ms: 4200,
};

const effect: Effect = {
  incident: {
    id: "brand",
    kind: "einsatz",
    name: "Brand",
    opened_ms: 1_795_330_000_000,
    closed_ms: null,
    aircraft_ids: [],
    flight_ids: [],
  },
  flights: 2,
  flown_ms: 1_860_000,
  summary,
  most_at_once: 7,
  age_p50_ms: 100,
  age_p95_ms: null,
  joins: [9, 1, 0, 0, 0, 1, 0, 0, 0],
  join_edges_ms: [100, 200, 300, 500, 1000, 2000, 5000, 10_000],
  feeds: [],
  course: [],
};

describe("the effect in words", () => {
  it("tells times as short as they are", () => {
    expect([null, 64.3, 999, 1240, 3000, 42_000, 61_000].map((ms) => shortTime("de", ms))).toEqual([
      "--",
      "64 ms",
      "999 ms",
      "1,2 s",
      "3 s",
      "42 s",
      "1 min 01 s",
    ]);
  });

  it("says the four figures, and what could not be said", () => {
    const [first, watched, age, broken] = figures("de", effect);
    expect(first).toEqual({
      title: "Erstes Bild nach dem Öffnen des Links",
      value: "64 ms",
      more: ["95 von 100 hatten es nach 1,2 s", "ohne Bild geblieben: 1"],
    });
    expect(watched?.value).toBe("3 h 30 min");
    expect(watched?.more).toEqual(["Aufrufe: 12", "gleichzeitig höchstens: 7"]);
    expect(age?.more).toEqual(["95 % der Zeit: älter als 10 s"]);
    expect([broken?.value, broken?.more]).toEqual(["3", ["zusammen 4,2 s"]]);
    const none = figures("en", {
      ...effect,
      age_p50_ms: null,
      summary: { ...summary, hours: 0, join_p50_ms: null },
    });
    expect(none.map(({ value }) => value)).toEqual(["--", "0 s", "--", "3"]);
  });

  it("says when, and how much was flown", () => {
    expect(facts("en", effect)[0]).toBe("Incident");
    expect(facts("en", effect)[2]).toBe("Flights: 2 (31 min 00 s in all)");
    expect(
      facts("de", { ...effect, incident: { ...effect.incident, closed_ms: 1_795_333_600_000 } })[1],
    ).toMatch(/ bis /);
  });
});

describe("the charts", () => {
  it("shows every bucket, also what nobody was in", () => {
    expect(joinBars("de", effect).map(({ label, told }) => `${label}: ${told}`)).toEqual([
      "≤ 0,1 s: 9",
      "≤ 0,2 s: 1",
      "≤ 0,3 s: 0",
      "≤ 0,5 s: 0",
      "≤ 1 s: 0",
      "≤ 2 s: 1",
      "≤ 5 s: 0",
      "≤ 10 s: 0",
      "mehr: 0",
    ]);
    expect(ageBars("de", summary).map(({ told }) => told)).toEqual([
      "90 %",
      "9,0 %",
      "0,9 %",
      "0,0 %",
      "0,0 %",
      "0,0 %",
      "0,0 %",
      "<0,1 %",
      "0,0 %",
      "<0,1 %",
    ]);
  });

  it("draws a stair: level until the next step", () => {
    const steps = [
      { utc_ms: 0, viewers: 1 },
      { utc_ms: 10, viewers: 3 },
      { utc_ms: 20, viewers: 0 },
    ];
    expect(
      stair(
        steps,
        (ms) => ms,
        (viewers) => 10 - viewers,
      ),
    ).toBe("M0.0 10.0V9.0H10.0V7.0H20.0V10.0");
    expect(stair([], Number, Number)).toBe("");
  });

  it("has few round levels", () => {
    expect([1, 3, 7, 40, 250, 1999].map(levels)).toEqual([
      [0, 1],
      [0, 1, 2, 3],
      [0, 2, 4, 6],
      [0, 20, 40],
      [0, 100, 200],
      [0, 500, 1000, 1500],
    ]);
  });

  it("labels a few moments of the course", () => {
    const course = [
      { utc_ms: 1_795_330_000_000, viewers: 1 },
      { utc_ms: 1_795_337_200_000, viewers: 0 },
    ];
    expect(ticks(course)).toHaveLength(5);
    expect(ticks(course)[4]?.utc_ms).toBe(1_795_337_200_000);
    expect(ticks(course.slice(0, 1))).toEqual([]);
  });
});
