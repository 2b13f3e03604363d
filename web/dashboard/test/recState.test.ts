import { describe, expect, it } from "vitest";
import type { RecordingState, RecordKind, StorageState } from "../src/api";
import { size, spokenDuration, stopwatch } from "../src/format";
import { flightTime, recKind, recSentences, recShort, storageSentence, type Seen } from "../src/recState";

const recording = (changes: Partial<RecordingState> = {}): RecordingState => ({
  status: "recording",
  since_ms: 1_000_000,
  flight_id: "20261122t044900z-fritz",
  started_ms: 1_000_000,
  reason: "",
  detail: "",
  lost: 0,
  records: ["pictures", "telemetry"],
  ...changes,
});
const seen = (changes: Partial<Seen> = {}): Seen => ({
  recording: recording(),
  enabled: true,
  reachable: true,
  serverMs: 1_000_000 + 754_000,
  ...changes,
});
const off = (reason: string): RecordingState => recording({ status: "off", started_ms: null, reason });

describe("the recording mark", () => {
  it("says REC only while the server says so", () => {
    expect(recKind(seen())).toBe("recording");
    expect(recKind(seen({ recording: off("no_flight") }))).toBe("ready");
    expect(recKind(seen({ recording: off("switched_off") }))).toBe("off");
    expect(recKind(seen({ recording: recording({ status: "failed", reason: "disk_full" }) }))).toBe("failed");
    expect(recKind(seen({ enabled: false, recording: null }))).toBe("off");
    expect(recKind(seen({ recording: null }))).toBeNull();
  });

  it("knows nothing once the server is silent", () => {
    expect(recKind(seen({ reachable: false }))).toBe("unknown");
    expect(recSentences("de", seen({ reachable: false })).join(" ")).toContain("nicht bekannt");
  });

  it("counts the flight's time", () => {
    expect(flightTime(seen())).toBe("12:34");
    expect(flightTime(seen({ serverMs: null }))).toBe("");
    expect(flightTime(seen({ recording: off("no_flight") }))).toBe("");
  });

  it("tells why, since when, and what is missing", () => {
    const failed = recording({ status: "failed", reason: "disk_full", lost: 12 });
    const told = recSentences("de", seen({ recording: failed }));
    expect(told[0]).toMatch(/^Aufzeichnung gestört seit \d\d:\d\d:\d\d\.$/);
    expect(told[1]).toContain("voll");
    expect(told[2]).toContain("12 Bilder");
    const one = recSentences("de", seen({ recording: { ...failed, lost: 1 } }));
    expect(one[2]).toBe("1 Bild dieses Flugs konnte nicht geschrieben werden.");
    expect(recSentences("de", seen({ recording: off("switched_off") })).join(" ")).toContain("ausgeschaltet");
    expect(recSentences("en", seen({ recording: off("no_flight") }))).toHaveLength(2);
    const odd = recording({ status: "failed", reason: "x_new", detail: "the disk sings" });
    expect(recSentences("de", seen({ recording: odd }))[1]).toBe("the disk sings");
  });
});

describe("what is recorded", () => {
  const kept = (...records: RecordKind[]): Seen => seen({ recording: recording({ records }) });
  const all: RecordKind[][] = [
    ["pictures", "telemetry"],
    ["pictures"],
    ["thermal", "telemetry"],
    ["thermal"],
    ["telemetry"],
  ];

  it("is said in the bar and in a sentence, whatever is left out", () => {
    expect(all.map((records) => recShort("de", kept(...records)))).toEqual([
      "Bild+Telemetrie",
      "nur Bild",
      "Wärmebild+Telemetrie",
      "nur Wärmebild",
      "nur Telemetrie",
    ]);
    for (const records of all)
      expect(recSentences("de", kept(...records)).at(-1)).toMatch(/^Aufgezeichnet .* nie Ton\.$/);
  });

  it("is nothing where nobody wants it", () => {
    const nothing = seen({ recording: { ...off("not_wanted"), records: [] } });
    expect(recKind(nothing)).toBe("off");
    expect(recShort("de", nothing)).toBe("");
    expect(recSentences("de", nothing).join(" ")).toContain("Aufzeichnung ausgeschaltet");
  });
});

describe("the room for recordings", () => {
  const storage: StorageState = {
    status: "ok",
    since_ms: 0,
    free_bytes: 120e9,
    used_bytes: 1e9,
    hours_left: null,
    detail: "",
  };
  it("is told with the hours that are left, before it is full", () => {
    expect(storageSentence("de", storage)).toBe("Speicher: 120 GB frei");
    const low: StorageState = { ...storage, status: "low", free_bytes: 4.25e9, hours_left: 3.14 };
    expect(storageSentence("de", low)).toBe("Speicher wird knapp: 4,3 GB frei, reicht für etwa 3,1 h");
    expect(storageSentence("en", { ...low, status: "full" })).toBe("Storage full: nothing is recorded");
  });
});

describe("times and sizes", () => {
  it("are written as people say them", () => {
    expect([stopwatch(-5), stopwatch(247_000), stopwatch(3_723_000)]).toEqual(["0:00", "4:07", "1:02:03"]);
    expect([40_000, 760_000, 3_720_000].map(spokenDuration)).toEqual(["40 s", "12 min 40 s", "1 h 02 min"]);
    expect([811_200_000, 1.44e9, 120e9].map((each) => size("de", each))).toEqual([
      "812 MB",
      "1,4 GB",
      "120 GB",
    ]);
  });
});
