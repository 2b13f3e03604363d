import { describe, expect, it } from "vitest";
import type { LinkState } from "../src/api";
import { findings, linkSentence, noPicture, notes, warning } from "../src/sentences";
import type { Refusal } from "../src/whep";
import { made, sent, source } from "./samples";

const seen = {
  state: "frozen" as const,
  gapMs: 12_300,
  serverReachable: true,
  source: source(),
  renditions: [],
  chosen: null,
  refusal: null,
  identical: false,
};

describe("why there is no picture", () => {
  it("says nothing while pictures come", () => {
    expect(noPicture("de", { ...seen, state: "live" })).toBeNull();
    expect(noPicture("de", { ...seen, state: "delayed" })).toBeNull();
  });

  it("tells a silent drone from a broken path and a lost server", () => {
    const say = (changes: Partial<Parameters<typeof noPicture>[1]>): string => {
      const sentence = noPicture("de", { ...seen, ...changes });
      return `${sentence?.head} ${sentence?.why}`;
    };
    const silent = "Kein Bild seit 12 s. Verbindung steht, die Drohne sendet nicht.";
    expect(say({ source: source({ status: "stalled", reason: "stalled" }) })).toBe(silent);
    expect(say({ state: "lost", source: source({ status: "lost", reason: "no_packets" }) })).toBe(silent);
    expect(say({})).toContain("das Bild kommt hier nicht an");
    expect(say({ serverReachable: false })).toBe(
      "Kein Bild seit 12 s. Verbindung zum Server unterbrochen. Neuer Versuch läuft.",
    );
  });

  it("tells a camera that sends the same picture again and again from one that is silent", () => {
    const sentence = noPicture("de", { ...seen, identical: true });
    expect(sentence?.head).toBe("Kein neues Bild seit 12 s.");
    expect(sentence?.why).toContain("immer dasselbe Bild");
    expect(noPicture("de", { ...seen, identical: true, serverReachable: false })?.why).toContain("Server");
  });

  it("says that there is no place before it blames the way", () => {
    const say = (refusal: Refusal): string | undefined =>
      noPicture("de", { ...seen, gapMs: null, serverReachable: false, refusal })?.why;
    expect(say("feed_full")).toContain("Alle Plätze");
    expect(say("address_full")).toContain("schon zu viele");
    expect(say("starting")).toContain("startet gerade");
    expect(say("crowded")).toContain("verbinden sich gerade");
  });

  it("names what ingest knows", () => {
    const why = (status: "connecting" | "lost", reason: string): string | undefined =>
      noPicture("en", { ...seen, state: "lost", gapMs: null, source: source({ status, reason }) })?.why;
    expect(why("lost", "port_in_use")).toContain("Another program");
    expect(why("connecting", "waiting_for_keyframe")).toContain("first whole picture");
    expect(why("lost", "no_packets")).toContain("Is the sender on");
    expect(why("lost", "something_new")).toBe("The connection is up, the drone is not sending.");
    expect(why("connecting", "something_new")).toBe("The source is being opened.");
  });

  it("says what becomes of a picture that this browser cannot show as it is", () => {
    const h265 = source({ notes: ["clock_untrusted", "codec_h265"] });
    const why = (changes: Partial<Parameters<typeof noPicture>[1]>): string | undefined =>
      noPicture("de", { ...seen, state: "lost", gapMs: null, source: h265, chosen: sent("web"), ...changes })
        ?.why;
    const starting = "Das Bild wird für diesen Browser umgewandelt (H.265 → H.264); das startet gerade.";
    expect(why({})).toBe(starting);
    expect(why({ renditions: [made({ status: "starting" })] })).toBe(starting);
    expect(why({ renditions: [made({ status: "off", why: [] })] })).toBe(starting);
    const waits = made({ status: "starting", reason: "waiting_for_keyframe" });
    expect(why({ renditions: [waits] })).toContain("mit dem nächsten Vollbild der Drohne");
    const failed = made({ status: "failed", reason: "encoder_failed" });
    expect(why({ renditions: [failed] })).toBe(
      "Das Umrechnen des Bildes ist abgebrochen. Neuer Versuch läuft.",
    );
    expect(why({ renditions: [failed], gapMs: 4000 })).toContain("abgebrochen");
    const unknown = made({ status: "failed", reason: "encoder_unknown" });
    expect(why({ renditions: [unknown] })).toContain("Encoder ist auf diesem Server nicht vorhanden");
    expect(why({ renditions: [made()] })).toBe("Bild wird geholt.");
    expect(why({ renditions: [made()], gapMs: 4000 })).toContain("das Bild kommt hier nicht an");
  });

  it("does not speak of converting where that is not what is missing", () => {
    const h265 = source({ notes: ["codec_h265"] });
    const failed = made({ rendition: "low", status: "failed", reason: "encoder_failed" });
    const why = (changes: Partial<Parameters<typeof noPicture>[1]>): string | undefined =>
      noPicture("de", {
        ...seen,
        source: h265,
        chosen: sent("source", "low"),
        renditions: [failed],
        ...changes,
      })?.why;
    expect(why({})).toContain("das Bild kommt hier nicht an"); // the full picture stopped on its way
    expect(why({ chosen: sent("source"), gapMs: null })).toBe("Bild wird geholt.");
    expect(why({ chosen: null, gapMs: null })).toBe("Bild wird geholt.");
    expect(why({ chosen: sent("web"), serverReachable: false })).toContain("Server unterbrochen");
    const stalled = source({ status: "stalled", reason: "stalled", notes: ["codec_h265"] });
    expect(why({ chosen: sent("web"), source: stalled })).toContain("die Drohne sendet nicht");
  });
});

describe("what the pictures show of the camera", () => {
  it("is said in plain words, several at once, and unknown codes as they are", () => {
    const said = (...codes: string[]): string[] => findings("de", { since_ms: 0, findings: codes });
    expect(findings("de", null)).toEqual([]);
    expect(said()).toEqual([]);
    expect(said("covered", "blurred")).toEqual([
      "Etwas verdeckt die Linse.",
      expect.stringContaining("unscharf"),
    ]);
    expect(said("brand_new")).toEqual(["brand_new"]);
  });

  it("is not said twice: identical pictures are a state", () => {
    expect(findings("de", { since_ms: 0, findings: ["frozen"] })).toEqual([]);
  });
});

describe("notes and links", () => {
  it("keep an unknown code rather than nothing", () => {
    expect(notes("de", source({ notes: ["interlaced", "brand_new"] }))).toEqual([
      expect.stringContaining("Halbbilder"),
      "brand_new",
    ]);
  });

  it("speak of a link only when something is wrong with it", () => {
    const link: LinkState = { status: "live", since_ms: 0, reason: "", detail: "" };
    expect(linkSentence("de", null)).toBeNull();
    expect(linkSentence("de", link)).toBeNull();
    expect(linkSentence("de", { ...link, status: "silent" })).toMatch(
      /^Telemetrie ausgefallen seit \d\d:\d\d:\d\d\.$/,
    );
    expect(linkSentence("de", { ...link, reason: "duplicate_system_id" })).toContain("derselben Kennung");
    expect(linkSentence("de", { ...link, status: "silent", reason: "file_ended" })).toBe(
      "Telemetrie: Die Datei ist zu Ende.",
    );
    expect(linkSentence("de", { ...link, status: "silent", reason: "no_metadata" })).toMatch(
      /^Telemetrie ausg/,
    );
    expect(linkSentence("de", { ...link, status: "silent", reason: "bad_checksum" })).toContain("Prüfsumme");
    expect(linkSentence("de", { ...link, status: "failed", reason: "duplicate_system_id" })).toContain(
      "Zwei Drohnen",
    );
    expect(linkSentence("de", { ...link, status: "connecting" })).toBe("Keine Telemetrie von der Drohne.");
  });
});

describe("the aircraft's own words", () => {
  const text = { severity: "critical", text: "Low battery", utc_ms: 1_000_000 };

  it("are shown for half a minute when they warn", () => {
    expect(warning(text, 1_030_000)).toMatch(/^\d\d:\d\d:\d\d Low battery$/);
    expect(warning(text, 1_030_001)).toBeNull();
    expect(warning({ ...text, severity: "info" }, 1_000_001)).toBeNull();
    expect(warning(null, 1_000_000)).toBeNull();
    expect(warning(text, null)).toBeNull();
  });
});
