import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FLIGHT_PATTERNS, START_PATTERNS } from "../src/statusPatterns";
import { statusSentence } from "../src/statusWords";

/** Everything that the aircraft of the real recorded flights said; tests/unit/telemetry holds it against them. */
const FEEDS = JSON.parse(readFileSync(new URL("feedTexts.json", import.meta.url), "utf8")) as Record<
  string,
  [severity: string, text: string][]
>;
const SERIOUS = ["emergency", "alert", "critical", "error", "warning"];

describe("the aircraft's own words", () => {
  it.each([
    ["Battery 1 is low 14.20V used 3400 mAh", "Akku 1 schwach: 14,20 V, 3400 mAh verbraucht"],
    ["Low Battery!", "Akku schwach"],
    ["Low battery level! Return advised\t", "Akku schwach: Rückflug empfohlen"],
    ["Critical battery level!, Executing RTL", "Akku fast leer: Drohne kehrt zurück"],
    ["PreArm: Compasses inconsistent", "Startet nicht: Kompasse widersprechen sich"],
    ["PreArm: GPS positions differ by 12.5m", "Startet nicht: GPS-Empfänger widersprechen sich um 12,5 m"],
    ["Preflight Fail: Compass #0 not healthy", "Startet nicht: Kompass gestört"],
    ["PreArm: Battery 1 voltage 10.1 below minimum 10.5", "Startet nicht: Akku 1 zu schwach für den Start: 10,1 V, nötig 10,5 V"],
    ["MANUAL CONTROL LOST (at t=75098ms)", "Steuersignal verloren"],
    ["MANUAL CONTROL REGAINED after 519ms", "Fernsteuerung wieder verbunden"],
    ["Radio Failsafe - Continuing Auto Mode", "Fernsteuerung verloren: Drohne fliegt selbstständig"],
    ["Radio Failsafe Cleared", "Fernsteuerung wieder verbunden"],
    ["GPS Glitch", "GPS-Position springt"],
    ["GPS Glitch cleared", "GPS-Position wieder verlässlich"],
    ["EKF3 IMU0 is using GPS", "GPS wird für die Lage benutzt"],
    ["EKF2 IMU1 switching to compass 0", "Kompass gewechselt auf Nr. 0"],
    ["Crash: Disarming: AngErr=87>30, Accel=2.1<3.0", "Absturz erkannt, Motoren aus"],
    ["Failsafe mode activated\t", "Failsafe: Drohne handelt selbstständig"],
    ["Failsafe mode deactivated\t", "Failsafe beendet"],
    ["Fence Breached", "Erlaubten Bereich verlassen"],
    ["Reached waypoint #3 dist 71m", "Wegpunkt 3 erreicht"],
    ["ArduCopter V4.5.7 (2a3dc4b7)", "Autopilot: Version 4.5.7"],
  ])("%s", (said, german) => expect(statusSentence("de", said).text).toBe(german)); // prettier-ignore

  it("keeps the numbers as English writes them", () => {
    expect(statusSentence("en", "Battery 1 is low 14.20V used 3400 mAh")).toEqual({
      text: "Battery 1 low: 14.20 V, 3400 mAh used",
      original: false,
    });
  });

  it("shows what it does not know as it was said, and says so", () => {
    expect(statusSentence("de", "Frobnicator 7 out of phase")).toEqual({
      text: "Frobnicator 7 out of phase",
      original: true,
    });
    expect(statusSentence("de", "PreArm: Frobnicator")).toEqual({
      text: "Startet nicht: Frobnicator",
      original: true,
    });
    expect(statusSentence("de", "").original).toBe(true);
  });

  it.each([
    "Battery 1 failsafe cleared",
    "EKF variance resolved",
    "RTL not possible: no home",
    "Failsafe disabled",
    "GCS failsafe: no longer",
  ])("does not say the opposite of %s", (text) =>
    expect(statusSentence("de", text)).toEqual({ text, original: true }),
  );

  it("knows more than eighty, each with as many numbers in both languages", () => {
    const all = [...FLIGHT_PATTERNS, ...START_PATTERNS];
    expect(all.length).toBeGreaterThan(80);
    const holes = (text: string): string[] => (text.match(/\$\d/g) ?? []).sort();
    for (const [said, de, en] of all) {
      expect(holes(de), said.source).toEqual(holes(en));
      const groups = (new RegExp(`${said.source}|`).exec("")?.length ?? 1) - 1;
      for (const hole of holes(de)) expect(Number(hole.slice(1)), said.source).toBeLessThanOrEqual(groups);
    }
  });

  it.each(Object.keys(FEEDS))("puts every warning of %s into words", (name) => {
    const serious = (FEEDS[name] ?? []).filter(([severity]) => SERIOUS.includes(severity));
    expect(serious.filter(([, text]) => statusSentence("de", text).original)).toEqual([]);
  });

  it("puts nearly all else of real flights into words as well", () => {
    const texts = Object.values(FEEDS).flatMap((list) => list.map(([, text]) => text));
    const unknown = texts.filter((text) => statusSentence("de", text).original);
    expect(unknown.filter((text) => !/^(PX4|[0-9a-f]{32})/.test(text))).toEqual([]); // versions and serial numbers
  });
});
