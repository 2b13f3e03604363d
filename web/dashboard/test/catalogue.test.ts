import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CATALOGUE, isKey, translate, type Key } from "../src/catalogue";

const KEYS = Object.keys(CATALOGUE) as Key[];
const holes = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();

/** The codes that ingest and telemetry may send (see the HTTP interface). */
const REASONS = `connecting waiting_for_keyframe no_packets stalled source_ended source_failed port_in_use address_refused
  not_found not_video no_keyframe unsupported_url unsupported_codec source_restarted forbidden_sender
  not_needed no_source encoder_slow encoder_unknown encoder_failed undecodable`;
const NOTES = `b_frames interlaced codec_h265 chroma keyframe_interval_long intra_refresh clock_untrusted clock_refused arrival_behind
  codec_mpeg2 codec_mpeg4 codec_mjpeg codec_other scaled`;
const LINKS = "no_messages port_in_use connect_failed file_ended duplicate_system_id";
const CLOCKS = "clock_fast clock_slow clock_bogus clock_jumps clock_wrong";
const FINDINGS = "black frozen covered blurred";
const FIXES = "none 2d 3d dgps rtk_float rtk_fixed";

describe("the catalogue", () => {
  it.each(KEYS)("has both languages with the same holes: %s", (key) => {
    const [de, en, ...rest] = CATALOGUE[key] as readonly string[];
    expect(rest).toEqual([]);
    expect(de?.trim()).toBeTruthy();
    expect(en?.trim()).toBeTruthy();
    expect(holes(de ?? "")).toEqual(holes(en ?? ""));
  });

  it("has a sentence for every code the service sends", () => {
    const codes = { reason: REASONS, note: NOTES, link: LINKS, fix: FIXES, finding: FINDINGS, clock: CLOCKS };
    for (const [family, list] of Object.entries(codes)) {
      for (const code of list.split(/\s+/))
        expect(isKey(`${family}.${code}`), `${family}.${code}`).toBe(true);
    }
  });

  it("has eight compass points in both languages", () => {
    for (const language of ["de", "en"] as const) {
      expect(new Set(translate(language, "compass").split(" ")).size).toBe(8);
    }
  });

  it("says each thing once: of two entries with one key, the earlier is lost", () => {
    const folder = new URL("../src/", import.meta.url);
    const keys = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /(catalogue|words)\.ts$/i.test(name))
      .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/^ {2}"([\w.]+)": \[/gm)])
      .map(([, key]) => key);
    expect(keys.length).toBeGreaterThan(300);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it("holds no word that nobody uses", () => {
    const folder = new URL("../src/", import.meta.url);
    const source = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !/(catalogue|words)\.ts$/i.test(name))
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .join("\n");
    // looked up by code
    const families = [
      "state.", "source.", "reason.", "unrecorded.", "note.", "link.", "fix.", "age.", "map.", "unsecured.", "finding.",
      "alarm.", "alarms.", "look.", "mark.choice.", "ground.", "clock.", "aircraft_clock.", "treat.", "made.",
      "rewind.step.", "rewind.trouble.", "player.trouble.",
      "rec.", "storage.", "flights.rule.", "flights.why.", "incidents.kind_", "refused.",
      "advice.", "step.", "step_state.", "steps.none_", "plot.", "output.",
      "review.plot.", "review.unit.", "review.kind.", "review.one.", "review.event.",
      "grant.", "audit.do.", "audit.kind.", "me.", "watchers.",
      "export.part.", "export.short.", "export.logbook.", "export.reason.", "player.trouble.",
    ]; // prettier-ignore
    const unused = KEYS.filter(
      (key) => !source.includes(`"${key}"`) && !families.some((family) => key.startsWith(family)),
    );
    expect(unused).toEqual([]);
  });

  it("fills holes and leaves unknown ones visible", () => {
    expect(translate("de", "since", { time: "14:03:22" })).toBe("seit 14:03:22");
    expect(translate("en", "since")).toBe("since {time}");
  });
});
