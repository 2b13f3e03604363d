import { afterEach, describe, expect, it, vi } from "vitest";
import { curve } from "../src/curve";
import type { Flight } from "../src/flights/api";
import type { Note, RecordedEvent, TrackPoint } from "../src/review/panel/api";
import { FlightFacts } from "../src/review/panel/facts";
import { happenings, lastBefore } from "../src/review/panel/happenings";
import { Selection } from "../src/review/panel/selection";
import { FlightTrack } from "../src/review/panel/track";

const START = Date.UTC(2026, 10, 22, 4, 49);
const HOUR_MS = 3_600_000;
const WHOLE = { fromMs: START, toMs: START + 600_000 };

const point = (atS: number, changes: Partial<TrackPoint> = {}): TrackPoint => ({
  utc_ms: START + atS * 1000,
  lat_deg: 49.44,
  lon_deg: 7.77,
  alt_home_m: null,
  alt_msl_m: null,
  ground_speed_ms: null,
  battery_pct: null,
  battery_v: null,
  ...changes,
});

describe("a selection", () => {
  it("is none until a side of it is set, and reaches to the flight's edge until the other is", () => {
    const selection = new Selection();
    expect(selection.within(WHOLE)).toBeNull();
    selection.begin(START + 10_000);
    expect(selection.within(WHOLE)).toEqual({ fromMs: START + 10_000, toMs: WHOLE.toMs });
    selection.end(START + 40_000);
    expect(selection.within(WHOLE)).toEqual({ fromMs: START + 10_000, toMs: START + 40_000 });
    selection.clear();
    expect(selection.within(WHOLE)).toBeNull();
  });

  it("drops a side that the other one has passed", () => {
    const selection = new Selection();
    selection.begin(START + 10_000);
    selection.end(START + 40_000);
    selection.begin(START + 50_000);
    expect(selection.within(WHOLE)).toEqual({ fromMs: START + 50_000, toMs: WHOLE.toMs });
    selection.end(START + 20_000);
    expect(selection.within(WHOLE)).toEqual({ fromMs: START, toMs: START + 20_000 });
  });

  it("never leaves the flight, and is none where nothing of it is within", () => {
    const selection = new Selection();
    selection.begin(START - 5000);
    selection.end(WHOLE.toMs + 5000);
    expect(selection.within(WHOLE)).toEqual(WHOLE);
    selection.begin(WHOLE.toMs + 1000);
    expect(selection.within(WHOLE)).toBeNull();
  });
});

describe("the track of a flight", () => {
  const cut = START + 20_000;
  const track = new FlightTrack(
    [
      point(0, { alt_home_m: 0, battery_v: 16.8 }),
      point(10, { alt_home_m: 50 }),
      point(30, { alt_home_m: 80 }),
      point(40, { alt_home_m: null }),
    ],
    [cut],
  );

  it("tells what was known between two points", () => {
    expect(track.at("alt_home_m", START + 5000)).toBeCloseTo(25);
    expect(track.at("alt_home_m", START + 30_000)).toBe(80);
  });

  it("knows nothing where the telemetry was away, before it began and after it ended", () => {
    expect(track.at("alt_home_m", START + 12_000)).toBe(50); // told just now
    expect(track.at("alt_home_m", START + 19_000)).toBeNull();
    expect(track.at("alt_home_m", START + 25_000)).toBeNull();
    expect(track.at("alt_home_m", START - 1)).toBeNull();
    expect(track.at("alt_home_m", START + 41_000)).toBeNull();
  });

  it("takes what stands in for a reading that was never told", () => {
    expect(track.told(["battery_pct", "battery_v"])).toBe("battery_v");
    expect(track.told(["ground_speed_ms"])).toBeNull();
    expect(new FlightTrack().told(["alt_home_m"])).toBeNull();
  });

  it("is drawn with its gap", () => {
    const drawn = curve(track.of("alt_home_m"), WHOLE, { width: 1000, height: 60 }, track.joins);
    expect(drawn.lines.match(/M/g)).toHaveLength(2);
    expect(drawn.lines.match(/L/g)).toHaveLength(1);
    expect([drawn.min, drawn.max]).toEqual([0, 80]);
  });
});

describe("what happened", () => {
  const marker = (id: string, atS: number, changes: object = {}): RecordedEvent => ({
    type: "marker",
    id,
    utc_ms: START + atS * 1000,
    marker_id: "m1",
    label: "Brand",
    by: "Klein",
    removed: false,
    lat_deg: 49.44,
    lon_deg: 7.77,
    ...changes,
  });
  const alarm = (id: string, atS: number, active: boolean): RecordedEvent => ({
    type: "alarm",
    id,
    utc_ms: START + atS * 1000,
    code: "battery_percent",
    values: { limit: "20" },
    active,
  });
  const note: Note = { id: "n1", utc_ms: START + 15_000, text: "Rauch dichter", by: "Meier", feed_id: "" };

  it("is one list of events and notes in the order of time", () => {
    const told = happenings("de", [alarm("a1", 30, true), marker("e1", 10)], [note]);
    expect(told.map(({ kind, text }) => [kind, text])).toEqual([
      ["mark", "Brand"],
      ["note", "Rauch dichter"],
      ["alarm", "Akku unter 20 %"],
    ]);
    expect(told.map(({ note: one }) => one?.id ?? null)).toEqual([null, "n1", null]);
    expect(lastBefore(told, START + 29_999)).toBe(1);
    expect(lastBefore(told, START)).toBe(-1);
  });

  it("has a mark as it was in the end, none that was taken back, and alarms where they began", () => {
    const renamed = [marker("e1", 10), marker("e2", 20, { label: "Glut" })];
    expect(happenings("de", renamed, []).map(({ text }) => text)).toEqual(["Glut"]);
    expect(happenings("de", [marker("e1", 10), marker("e2", 20, { removed: true })], [])).toEqual([]);
    const over = happenings("de", [alarm("a1", 30, true), alarm("a2", 60, false)], []);
    expect(over.map(({ atMs }) => atMs)).toEqual([START + 30_000]);
  });

  it("says it in both languages", () => {
    const events: RecordedEvent[] = [{ type: "armed", id: "x", utc_ms: START }];
    const told = (language: "de" | "en"): string[] =>
      happenings(language, events, []).map(({ text }) => text);
    expect([told("de"), told("en")]).toEqual([["Motoren an"], ["Armed"]]);
  });
});

describe("what the service knows of a flight", () => {
  afterEach(() => vi.unstubAllGlobals());

  const flight = {
    id: "20261122t044900z-fritz",
    started_ms: START,
    ended_ms: START + 2 * HOUR_MS,
    duration_ms: 2 * HOUR_MS,
    feeds: [
      { id: "fritz-tag", pictures: 900 },
      { id: "fritz-waerme", pictures: 0 },
    ],
  } as unknown as Flight;
  const segment = (number: number, fromS: number, toS: number): object => ({
    number,
    start_ms: START + fromS * 1000,
    end_ms: START + toS * 1000,
    fragments: { offset: [], size: [], media_ms: [], utc_ms: [], keyframe: [] },
  });
  const answers: Record<string, unknown> = {
    "track.json": { points: [point(0, { alt_home_m: 3 })], cut_ms: [] },
    events: { events: [] },
    notes: { notes: [] },
    "feeds/fritz-tag": {
      ended_ms: flight.ended_ms,
      segments: [segment(1, 2, 1000), segment(2, 4600, 7200)],
    },
  };
  /** What the service is asked for; `missing` is refused. */
  const serve = (missing = ""): string[] => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      const rest = url.replace("/api/v1/flights/20261122t044900z-fritz/", "");
      asked.push(rest);
      const status = rest === missing ? 409 : 200;
      const body = status === 200 ? answers[rest] : { error: { code: "recording_damaged" } };
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    });
    return asked;
  };

  it("knows the hour without pictures, and that before the first there was none", async () => {
    serve();
    const facts = new FlightFacts(flight);
    await facts.renew();
    expect(facts.problem).toBeNull();
    expect(facts.gapsOf("fritz-tag")).toEqual([
      { fromMs: START, toMs: START + 2000 },
      { fromMs: START + 1_000_000, toMs: START + 4_600_000 },
    ]);
    expect(facts.gapsOf("fritz-waerme")).toEqual([facts.whole]); // never a picture
  });

  it("asks only for notes again once all of an ended flight is known", async () => {
    const asked = serve();
    const facts = new FlightFacts(flight);
    await facts.renew();
    asked.length = 0;
    await facts.renew();
    expect(asked).toEqual(["notes"]);
  });

  it("keeps what it could have where something is refused, says why, and asks again", async () => {
    serve("events");
    const facts = new FlightFacts(flight);
    await facts.renew();
    expect([facts.problem, facts.events]).toEqual(["recording_damaged", null]);
    expect(facts.track?.isEmpty).toBe(false);
    serve();
    await facts.renew();
    expect([facts.problem, facts.events]).toEqual([null, []]);
  });
});
