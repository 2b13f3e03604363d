import { describe, expect, it } from "vitest";
import { CATALOGUE, translate, type Key } from "../src/catalogue";
import { forwardSentences } from "../src/pilot/aircraftNews";
import { timeOfDay } from "../src/format";
import { linkAdvice } from "../src/pilot/advice";
import type { Pointed, Step } from "../src/pilot/api";
import { outputSentences } from "../src/pilot/outputs";
import { plot } from "../src/pilot/plot";
import { pointedHead, pointedWhere } from "../src/pilot/pointing";
import { hasRemark, isGreen, redAdvice, stepAdvice, stepName, stepSentence } from "../src/pilot/steps";

const step = (changes: Partial<Step>): Step => ({ step: "picture", state: "ok", reason: "", ...changes });

describe("the steps of a feed", () => {
  it("are green unless one is red", () => {
    expect(isGreen([step({}), step({ state: "waiting" }), step({ state: "none" })])).toBe(true);
    expect(isGreen([step({}), step({ state: "bad" })])).toBe(false);
    expect(hasRemark(step({ reason: "black" }))).toBe(true);
    expect(hasRemark(step({ state: "bad", reason: "black" }))).toBe(false);
  });

  it("say why in the words that there are already", () => {
    const say = (changes: Partial<Step>): string => stepSentence("de", step(changes), null);
    expect(say({ step: "key", state: "bad", reason: "key_wrong" })).toBe("Der Schlüssel ist falsch.");
    expect(say({ step: "key", state: "bad", reason: "keys_none" })).toBe("Noch kein Schlüssel");
    expect(say({ step: "codec", reason: "b_frames" })).toBe(translate("de", "note.b_frames"));
    expect(say({ reason: "covered" })).toBe("Etwas verdeckt die Linse.");
    expect(say({ step: "clock", state: "bad", reason: "clock_refused" })).toContain("Uhr der Kamera");
    expect(say({ step: "clock", state: "bad", reason: "clock_bogus" })).toContain("unmögliches Jahr");
    expect(say({ step: "telemetry", reason: "clock_bogus" })).toContain("Uhr der Drohne");
    expect(say({ step: "key", state: "none" })).toBe("braucht keinen Schlüssel");
    expect(say({ state: "waiting" })).toBe("noch nicht bekannt");
    expect(say({ reason: "not in this version" })).toBe("in Ordnung");
  });

  it("take the telemetry's own sentence, and its own advice", () => {
    const link = {
      status: "failed",
      since_ms: 0,
      reason: "port_in_use",
      detail: "",
      unassigned_system_ids: [],
    } as const;
    const red = step({ step: "telemetry", state: "bad", reason: "port_in_use" });
    expect(stepSentence("en", red, { ...link, unassigned_system_ids: [] })).toBe(
      translate("en", "link.port_in_use"),
    );
    expect(stepAdvice(red)).toBe("next.operator");
    expect(stepAdvice({ ...red, reason: "silent" })).toBe("next.telemetry");
    expect(stepAdvice({ ...red, state: "ok" })).toBeNull();
    for (const key of Object.keys(CATALOGUE).filter((one) => one.startsWith("link.")))
      expect(translate("de", linkAdvice(key.slice(5)) as Key)).toMatch(/\.$/);
  });

  it("say what is to be done first", () => {
    const bad = (name: Step["step"], reason: string): Step => step({ step: name, state: "bad", reason });
    expect(redAdvice([step({}), bad("codec", "encoder_failed"), bad("clock", "clock_fast")])).toBe(
      "next.encoder",
    );
    expect(redAdvice([step({}), bad("clock", "clock_fast")])).toBe("next.clock");
    expect(redAdvice([step({})])).toBeNull();
    expect(stepAdvice(bad("clock", "arrival_behind"))).toBeNull(); // its sentence says it
    expect(stepAdvice(bad("reachable", "no_publisher"))).toBeNull(); // the card's "next" knows the way in
  });

  it("are called by what is asked for: a key, or a password of the camera", () => {
    expect(stepName("de", step({ step: "key" }), { keys: 0 })).toBe("Schlüssel");
    expect(stepName("de", step({ step: "key" }), { keys: null })).toBe("Zugang");
  });
});

describe("a plot", () => {
  const points = (values: (number | null)[]) => values.map((value, i) => ({ atMs: i * 1000, value }));

  it("spans its minutes and ends with the newest", () => {
    const drawn = plot(points([10, 20, 15]), 2000, 100, 40);
    expect(drawn).toMatchObject({ min: 15, max: 20, now: 15 }); // the first is out of it
    expect(drawn.lines).toBe("M50.0 0.0h.1L100.0 40.0");
  });

  it("leaves a gap where nothing came, and where nobody looked", () => {
    const drawn = plot(points([5, 5, null, 5, null]), 10_000, 100, 40);
    expect(drawn.lines.match(/M/g)).toHaveLength(2);
    expect(drawn.now).toBeNull();
    const unseen = [{ atMs: 0, value: 1 }, { atMs: 60_000, value: 1 }]; // prettier-ignore
    expect(plot(unseen, 300_000, 100, 40).lines.match(/M/g)).toHaveLength(2);
  });

  it("draws noise as flat, and nothing as nothing", () => {
    const ys = [...plot(points([30, 30.1, 29.9]), 10_000, 100, 40).lines.matchAll(/ (\d+\.\d)/g)].map(
      ([, y]) => Number(y),
    );
    expect(Math.max(...ys) - Math.min(...ys)).toBeLessThan(4);
    expect(plot(points([0, 0]), 10_000, 100, 40).lines).not.toContain("NaN");
    expect(plot([], 10_000, 100, 40)).toEqual({ lines: "", min: null, max: null, now: null });
    expect(plot(points([null]), 10_000, 100, 40).lines).toBe("");
  });
});

describe("where somebody points", () => {
  const pointed: Pointed = {
    label: "Person",
    by: "Einsatzleiter",
    utc_ms: 980_000,
    lat_deg: 49.44,
    lon_deg: 7.77,
    bearing_deg: 214.2,
    distance_m: 183,
    right_deg: 300,
  };

  it("is told by bearing, distance and turn", () => {
    expect(pointedHead("de", pointed)).toBe("Einsatzleiter zeigt: „Person“");
    expect(pointedHead("en", { ...pointed, label: "", by: "" })).toBe("Somebody points at a place");
    expect(pointedWhere("de", pointed, 1_000_000)).toBe("214°, 180 m, 60° links, vor 20 s");
    expect(pointedWhere("en", { ...pointed, right_deg: 5 }, 1_000_000)).toBe("214°, 180 m, ahead, 20 s ago");
    expect(pointedWhere("de", { ...pointed, right_deg: 178 }, 1_000_000)).toContain("hinter der Drohne");
    expect(pointedWhere("de", { ...pointed, right_deg: null }, 1_000_000)).toBe("214°, 180 m, vor 20 s");
    expect(pointedWhere("de", { ...pointed, bearing_deg: 359.7, distance_m: 1240 }, 1_000_000)).toMatch(
      /^000°, 1,24 km/,
    );
  });

  it("has no bearing from a drone whose place is not known", () => {
    const lost = { ...pointed, bearing_deg: null, distance_m: null, right_deg: null };
    expect(pointedWhere("de", lost, 1_000_000)).toBe("Position der Drohne unbekannt, vor 20 s");
  });

  it("has neither direction nor age while the service does not answer: the drone flies on", () => {
    expect(pointedWhere("de", pointed, null)).toBe(timeOfDay(pointed.utc_ms));
  });
});

describe("what comes of the aircraft", () => {
  it("tells of commands that ground stations have sent", () => {
    const forward = { stations: ["a", "b"], commands: 2, last_command: "COMMAND_LONG from a", reason: "" };
    expect(forwardSentences("de", forward)).toEqual([
      "Eine Bodenstation hat Befehle gesendet; sie wurden verworfen (2, zuletzt COMMAND_LONG von a).",
      "2 Bodenstationen lesen mit",
    ]);
    expect(forwardSentences("de", null)).toEqual([]);
    expect(
      forwardSentences("en", { ...forward, commands: 0, stations: [], reason: "port_in_use" })[0],
    ).toContain("another program");
  });
});

describe("what leaves the house", () => {
  const out = { kind: "cot", feed: "", to: "tls://tak.example:8089", detail: "" } as const;

  it("is told of where nothing gets there, and only there", () => {
    expect(outputSentences("de", [out])).toEqual([]);
    const [tak, stream] = outputSentences("de", [
      { ...out, detail: "no answer within 10 s" },
      { kind: "ts", feed: "Tageslicht", to: "udp://239.0.0.1:5004", detail: "network is unreachable" },
    ]);
    expect(tak).toContain("TAK bekommt nichts von uns (tls://tak.example:8089).");
    expect(stream).toContain("„Tageslicht“ kommt nicht nach draußen (udp://239.0.0.1:5004).");
  });
});
