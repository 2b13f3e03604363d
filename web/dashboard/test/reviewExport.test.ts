import { describe, expect, it } from "vitest";
import type { ExportView, Region } from "../src/review/export/api";
import { exportFacts, lack, leftOut, orderOf, partNames, statusSentence } from "../src/review/export/order";
import { regionOf } from "../src/review/export/regions";

const START = Date.UTC(2026, 10, 22, 12, 0);
const SELECTION = { fromMs: START + 60_000, toMs: START + 90_000 };

const filled = (...fields: readonly (readonly [string, string])[]): FormData => {
  const data = new FormData();
  fields.forEach(([name, value]) => data.append(name, value));
  return data;
};

const made = (changes: Partial<ExportView> = {}): ExportView => ({
  id: "3f9a0c5d7e1b2a48",
  flight_id: "20261122t120000z-fritz",
  status: "done",
  progress: 1,
  reason: "",
  size_bytes: 12_000_000,
  url: "/api/v1/exports/3f9a0c5d7e1b2a48/export.zip",
  made_ms: START,
  by: "Meier",
  parts: ["clip", "report"],
  feeds: ["fritz-tag"],
  from_ms: SELECTION.fromMs,
  to_ms: SELECTION.toMs,
  left_out: [],
  ...changes,
});

describe("an order", () => {
  const region: Region = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 };
  const usual = [
    ["range", "selection"],
    ["feeds", "fritz-tag"],
    ["parts", "report"],
    ["parts", "clip"],
    ["by", " Meier "],
    ["number", "17"],
  ] as const;

  it("has what was filled in, for the stretch that is selected", () => {
    const order = orderOf(filled(...usual), SELECTION, new Map([["fritz-tag", [region]]]), "en");
    expect(order).toEqual({
      by: "Meier",
      from_ms: SELECTION.fromMs,
      to_ms: SELECTION.toMs,
      feeds: ["fritz-tag"],
      parts: ["clip", "report"],
      regions: { "fritz-tag": [region] },
      logbook: { number: "17", pilot: "", place: "", remarks: "" },
      language: "en",
    });
    expect(lack(order)).toBeNull();
  });

  it("is for all of the flight where that is wanted, or nothing is selected", () => {
    const whole = orderOf(filled(["range", "whole"]), SELECTION, new Map(), "de");
    expect(whole).not.toHaveProperty("from_ms");
    expect(orderOf(filled(...usual), null, new Map(), "de")).not.toHaveProperty("to_ms");
  });

  it("blurs nothing of a camera that is not wanted, or on which nothing was drawn", () => {
    const regions = new Map([
      ["fritz-waerme", [region]],
      ["fritz-tag", []],
    ]);
    expect(orderOf(filled(...usual), null, regions, "de").regions).toEqual({});
  });

  it("says what is missing", () => {
    expect(lack(orderOf(filled(["feeds", "fritz-tag"]), null, new Map(), "de"))).toBe("export.no_part");
    expect(lack(orderOf(filled(["parts", "clip"]), null, new Map(), "de"))).toBe("export.no_feed");
  });
});

describe("an export", () => {
  it("is told in words, whatever has become of it", () => {
    expect(statusSentence("de", made())).toBe("Fertig: 12 MB");
    expect(statusSentence("en", made({ size_bytes: 812_400 }))).toBe("Ready: 813 kB");
    expect(statusSentence("de", made({ status: "running", progress: 0.426 }))).toBe("Wird erstellt: 43 %");
    expect(statusSentence("de", made({ status: "failed", reason: "disk_full" }))).toBe(
      "Nicht erstellt: Der Speicher des Servers ist zu voll.",
    );
    expect(statusSentence("en", made({ status: "failed", reason: "of_tomorrow" }))).toContain("of_tomorrow");
    expect(partNames("de", ["clip", "report"])).toBe("Film, Bericht");
    expect(exportFacts("de", made())).toContain("Meier");
    expect(exportFacts("de", made())).toContain("30 s");
  });

  it("names what could not be made, and why", () => {
    const without = made({ left_out: [{ part: "ts", feed_id: "fritz-tag", reason: "regions" }] });
    expect(leftOut("de", without, () => "Tageslicht")).toEqual([
      "Nicht enthalten: MPEG-TS Tageslicht. Diese Kamera hat unkenntlich gemachte Bereiche.",
    ]);
  });
});

describe("a rectangle over the picture", () => {
  it("lies between two corners, whichever comes first", () => {
    const drawn = regionOf([0.5, 0.75], [0.25, 0.5]);
    expect(drawn).toEqual({ x: 0.25, y: 0.5, width: 0.25, height: 0.25 });
  });

  it("is cut to the picture", () => {
    expect(regionOf([0.5, 0.5], [1.5, -1])).toEqual({ x: 0.5, y: 0, width: 0.5, height: 0.5 });
  });

  it("is none where somebody has only tapped", () => {
    expect(regionOf([0.5, 0.5], [0.502, 0.7])).toBeNull();
  });
});
