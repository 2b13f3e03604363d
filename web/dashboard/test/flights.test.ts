import { describe, expect, it } from "vitest";
import type { Deletion, Flight } from "../src/flights/api";
import { changesOf } from "../src/flights/incidents";
import { FlightList } from "../src/flights/list";
import {
  daysOf,
  deletionLine,
  extras,
  feedSentence,
  flightName,
  keeping,
  plannedLine,
  refused,
  wrongs,
} from "../src/flights/sentences";

const DAY_MS = 86_400_000;
const STARTED = Date.UTC(2026, 10, 22, 12, 0);
const ENDED = STARTED + 760_000;

const flight = (changes: Partial<Flight> = {}): Flight => ({
  id: "20261122t120000z-fritz",
  aircraft_id: "fritz",
  aircraft_name: "Fritz",
  started_ms: STARTED,
  ended_ms: ENDED,
  duration_ms: 760_000,
  size_bytes: 412e6,
  place: null,
  thumbnail_url: null,
  feeds: [],
  repaired_ms: null,
  lost_bytes: 0,
  messages: 900,
  markers: 0,
  alarms: 0,
  damage: "",
  incident: null,
  hold: null,
  delete_on_ms: ENDED + 60 * DAY_MS,
  delete_rule: "einsatz_days",
  ...changes,
});

const feed = (changes: Partial<Flight["feeds"][number]> = {}): Flight["feeds"][number] => ({
  id: "fritz-tag",
  name: "Tageslicht",
  codec: "h264",
  width_px: 1280,
  height_px: 720,
  segments: 2,
  pictures: 22_800,
  size_bytes: 412e6,
  first_ms: STARTED,
  last_ms: ENDED,
  gaps: 0,
  gap_ms: 0,
  ...changes,
});

/** `count` flights, the newest first, the first of them number `from`. */
const flights = (from: number, count: number): Flight[] =>
  Array.from({ length: count }, (_, i) =>
    flight({ id: `f-${from + i}`, started_ms: STARTED - (from + i) * 60_000 }),
  );
const ids = (list: FlightList): string[] => list.all.map(({ id }) => id);

describe("a recorded flight in words", () => {
  it("says when it will be deleted, and by which rule", () => {
    expect(keeping("de", flight())).toMatch(/^Wird am 21\.01\.2027 gelöscht · 60 Tage Einsatz$/);
    const exercise = flight({ delete_on_ms: ENDED + 30 * DAY_MS, delete_rule: "uebung_days" });
    expect(keeping("en", exercise)).toBe("Will be deleted on 22 Dec 2026 · 30 days, exercise");
    expect(keeping("de", flight({ delete_on_ms: null }))).toBe("Hat kein Löschdatum");
    expect(keeping("de", flight({ ended_ms: null, delete_on_ms: null }))).toContain("wenn der Flug endet");
  });

  it("says who holds it and why, before anything else", () => {
    const hold = { reason: "Gutachten Brandursache", by: "A. Klein", since_ms: ENDED };
    expect(keeping("de", flight({ hold, delete_on_ms: null }))).toMatch(
      /^Wird nicht gelöscht: Gutachten Brandursache \(festgehalten von A\. Klein, 22\.11\.2026 /,
    );
  });

  it("tells each camera with its size and its gaps", () => {
    expect(feedSentence("de", feed())).toBe("H.264, 1280 × 720, 412 MB, ohne Lücke");
    expect(feedSentence("de", feed({ codec: "h265", gaps: 2, gap_ms: 12_000 }))).toBe(
      "H.265, 1280 × 720, 412 MB, 2 Lücken (zusammen 12 s)",
    );
    expect(feedSentence("en", feed({ gaps: 1, gap_ms: 90_000 }))).toContain("1 gap (1 min 30 s)");
    expect(feedSentence("de", feed({ codec: null, pictures: 0 }))).toBe("kein Bild aufgezeichnet");
  });

  it("tells what was repaired and what is damaged", () => {
    expect(wrongs("de", flight())).toEqual([]);
    expect(wrongs("de", flight({ repaired_ms: ENDED }))[0]).toContain("nichts verloren");
    expect(wrongs("de", flight({ repaired_ms: ENDED, lost_bytes: 41_200 }))[0]).toContain(
      "die letzten 42 kB",
    );
    expect(wrongs("de", flight({ damage: "events.jsonl: no JSON in line 3" }))[0]).toContain("Beschädigt");
  });

  it("tells marks, alarms and telemetry", () => {
    expect(extras("de", flight({ markers: 3, alarms: 1 }))).toEqual([
      "mit Telemetrie",
      "Markierungen: 3",
      "Alarme: 1",
    ]);
    expect(extras("en", flight({ messages: 0 }))).toEqual(["no telemetry"]);
  });

  it("tells what is planned and what was deleted", () => {
    const planned = { flight_id: flight().id, rule: "einsatz_days", due_ms: ENDED + 60 * DAY_MS } as const;
    const name = flightName("de", flight());
    const days = daysOf(planned.rule, { einsatz_days: 60, uebung_days: 30, planned: [planned] });
    expect(plannedLine("de", planned, days, flight())).toBe(`21.01.2027: ${name} · 60 Tage Einsatz`);
    expect(plannedLine("de", { ...planned, rule: "thinned" }, null)).toBe(
      `21.01.2027: ${flight().id} · Speicher wurde knapp`,
    );
    const deletion: Deletion = {
      id: "d1",
      flight_id: flight().id,
      aircraft_id: "fritz",
      started_ms: STARTED,
      ended_ms: ENDED,
      incident: "Dachstuhlbrand",
      files: 5,
      size_bytes: 412e6,
      deleted_ms: ENDED + DAY_MS,
      rule: "person",
      by: "A. Klein",
      reason: "Testflug",
    };
    expect(deletionLine("de", deletion)).toMatch(
      /412 MB · von Hand · gelöscht durch A\. Klein · Dachstuhlbrand · Testflug$/,
    );
  });

  it("says why something was refused, also by a code it does not know", () => {
    expect(refused("de", "on_hold")).toContain("festgehalten");
    expect(refused("de", "")).toContain("antwortet nicht");
    expect(refused("de", "sunspots")).toContain("(sunspots)");
  });
});

describe("the list of flights", () => {
  it("is loaded page by page, without one twice", () => {
    const list = new FlightList();
    list.takeNewest(flights(0, 3), 3);
    expect(list.hasMore).toBe(true);
    list.takeOlder(flights(2, 3), 3);
    expect(ids(list)).toEqual(["f-0", "f-1", "f-2", "f-3", "f-4"]);
    list.takeOlder(flights(5, 1), 3);
    expect(list.hasMore).toBe(false);
    expect(list.last?.id).toBe("f-5");
  });

  it("keeps older pages when the newest is asked for again, and drops what was deleted", () => {
    const list = new FlightList();
    list.takeNewest(flights(1, 3), 3);
    list.takeOlder(flights(4, 2), 3);
    const newest = [...flights(0, 2), ...flights(3, 1)]; // f-2 is gone, f-0 is new
    list.takeNewest(newest, 3);
    expect(ids(list)).toEqual(["f-0", "f-1", "f-3", "f-4", "f-5"]);
    expect(list.hasMore).toBe(false);
  });

  it("ends with a page that is not full", () => {
    const list = new FlightList();
    list.takeNewest(flights(0, 3), 3);
    list.takeOlder(flights(3, 3), 3);
    list.takeNewest(flights(0, 2), 3); // all others have been deleted
    expect(ids(list)).toEqual(["f-0", "f-1"]);
    expect(list.hasMore).toBe(false);
  });

  it("changes one, and takes one away", () => {
    const list = new FlightList();
    list.takeNewest(flights(0, 3), 50);
    list.replace(flight({ id: "f-1", markers: 7 }));
    expect(list.all[1]?.markers).toBe(7);
    list.remove("f-1");
    expect(ids(list)).toEqual(["f-0", "f-2"]);
  });
});

describe("changing an incident", () => {
  const before = {
    id: "20261122t120000z-brand",
    kind: "einsatz" as const,
    name: "Brand",
    opened_ms: STARTED,
    closed_ms: null,
    aircraft_ids: ["alt", "fritz"],
    flight_ids: [],
  };
  const offered = [
    ["fritz", "Fritz"],
    ["otto", "Otto"],
  ] as const;

  it("tells only what is different: the rest may be somebody else's change", () => {
    const told = { kind: "einsatz" as const, name: "Großbrand", aircraft_ids: ["fritz"] };
    expect(changesOf(before, told, offered)).toEqual({ name: "Großbrand" });
    expect(changesOf(before, { ...told, kind: "uebung", name: "Brand" }, offered)).toEqual({
      kind: "uebung",
    });
  });

  it("takes no drone away that was not offered", () => {
    const told = { kind: "einsatz" as const, name: "Brand", aircraft_ids: ["otto"] };
    expect(changesOf(before, told, offered)).toEqual({ aircraft_ids: ["alt", "otto"] });
  });
});

it("counts one as one", () => {
  expect(keeping("de", flight({ delete_on_ms: ENDED + DAY_MS }))).toContain("1 Tag Einsatz");
  expect(keeping("en", flight({ delete_on_ms: ENDED + DAY_MS }))).toContain("1 day, incident");
});
