import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../src/catalogue";
import { nextStep } from "../src/pilot/arrival";
import { advice, sentence, treatment, treatments, trouble } from "../src/treatment";
import { made, sent, source } from "./samples";

const h265 = source({ notes: ["codec_h265", "clock_untrusted"] });

describe("what is done to the picture that a viewer sees", () => {
  const said = (...of: Parameters<typeof treatment>): string | null => {
    const done = treatment(...of);
    return done && sentence(done);
  };

  it("is said with its cost", () => {
    const feed = {
      state: h265,
      renditions: [made(), made({ rendition: "low", width_px: 640, height_px: 360 })],
    };
    expect(said("de", feed, "web")).toBe("Umgewandelt: H.265 → H.264, +45 ms, 0,4 Kerne");
    expect(said("en", feed, "web")).toBe("Converted: H.265 → H.264, +45 ms, 0.4 cores");
    expect(said("de", feed, "low")).toBe("Verkleinert: 640 × 360, +45 ms, 0,4 Kerne");
  });

  it("is nothing where the picture goes through untouched", () => {
    expect(said("de", { state: h265, renditions: [made()] }, "source")).toBeNull();
  });

  it("names every reason, and no cost before there is one", () => {
    const state = source({ notes: ["interlaced", "b_frames"] });
    const starting = made({
      status: "starting",
      why: ["interlaced", "b_frames"],
      cpu_share: null,
      delay_ms: null,
    });
    expect(said("de", { state, renditions: [starting] }, "web")).toBe(
      "Umwandlung startet: Halbbilder → Vollbilder, ohne B-Bilder",
    );
    expect(said("de", { state, renditions: [] }, "web")).toBe(
      "Umgewandelt: Halbbilder → Vollbilder, ohne B-Bilder",
    );
    const unmeasured = made({ cpu_share: null, delay_ms: null });
    expect(said("de", { state, renditions: [unmeasured] }, "web")).toBe("Umgewandelt: H.265 → H.264");
    const light = made({ cpu_share: 0.02, delay_ms: 0.4 });
    expect(said("de", { state, renditions: [light] }, "web")).toMatch(/\+1 ms, unter 0,1 Kerne$/);
  });

  it("knows of codecs that never travel as they came", () => {
    const feed = { state: source({ notes: ["codec_mpeg2"] }), renditions: [] };
    expect(said("de", feed, "source")).toBe("Beim Empfang umgewandelt: MPEG-2 → H.264");
  });
});

describe("what goes wrong in the making", () => {
  const feed = (changes: Parameters<typeof made>[0]): Parameters<typeof trouble>[1] => ({
    state: h265,
    renditions: [made(changes)],
  });

  it("is told to whom it concerns", () => {
    const slow = feed({ reason: "encoder_slow", dropped: 12 });
    expect(trouble("de", slow, sent("web"))).toContain("Der Server ist zu langsam");
    expect(trouble("de", slow, sent("source", "web"))).toContain("Der Server ist zu langsam");
    expect(trouble("de", slow, sent("source"))).toBeNull();
    expect(trouble("de", slow, null)).toBeNull();
    expect(trouble("de", feed({}), sent("web"))).toBeNull();
    expect(trouble("de", feed({ status: "starting", reason: "no_source" }), sent("web"))).toBeNull();
  });

  it("has a sentence also for a code that this page does not know", () => {
    expect(trouble("de", feed({ status: "failed", reason: "brand_new" }), sent("web"))).toContain(
      "abgebrochen",
    );
  });
});

describe("what the pilot is told of it", () => {
  it("is what happens, what would happen, or that nothing has to", () => {
    expect(treatments("de", { state: h265, renditions: [made()] })).toEqual([
      "Umgewandelt: H.265 → H.264, +45 ms, 0,4 Kerne.",
    ]);
    expect(treatments("de", { state: h265, renditions: [made({ status: "off", why: [] })] })).toEqual([
      "Wird umgewandelt, sobald jemand zusieht: H.265 → H.264.",
    ]);
    expect(treatments("de", { state: source(), renditions: [] })).toEqual([
      "Das Bild läuft unverändert: Jeder Browser kann es zeigen.",
    ]);
    expect(treatments("de", { state: source({ status: "lost" }), renditions: [] })).toEqual([]);
  });

  it("tells of an encoder that is too slow or fails", () => {
    const slow = treatments("de", { state: h265, renditions: [made({ reason: "encoder_slow" })] });
    expect(slow[1]).toContain("Der Server ist zu langsam");
    const failed = treatments("de", {
      state: h265,
      renditions: [made({ status: "failed", reason: "encoder_unknown" })],
    });
    expect(failed).toEqual([expect.stringContaining("Encoder ist auf diesem Server nicht vorhanden")]);
  });

  it("comes with what to change at the sender", () => {
    expect(advice(source({ notes: ["clock_untrusted"] }))).toBeNull();
    expect(advice(null)).toBeNull();
    const key = advice(source({ notes: ["clock_untrusted", "b_frames"] }));
    expect(key && CATALOGUE[key][0]).toBe(
      "B-Bilder: Encoder auf „zerolatency“ stellen (B-Frames 0), das spart die Umwandlung.",
    );
    const camera = { keys: 1, ways: [], steps: [], feed: { state: h265 } } as unknown as Parameters<
      typeof nextStep
    >[0];
    expect(nextStep(camera)).toBe("advice.codec_h265");
  });
});
