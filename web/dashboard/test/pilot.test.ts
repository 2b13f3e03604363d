import { describe, expect, it } from "vitest";
import { CATALOGUE, translate, type Language } from "../src/catalogue";
import type { PilotFeed, Protocol } from "../src/pilot/api";
import { ADVICE } from "../src/pilot/advice";
import { figures, LossWatch, nextStep, offSentence, openFirst, reasons, verdict } from "../src/pilot/arrival";
import { partsOf, protocolName, telemetryWay } from "../src/pilot/parts";
import { source } from "./samples";

function camera(
  changes: Partial<Parameters<typeof source>[0]>,
  protocol: Protocol = "rtmp",
  keys = 1,
): PilotFeed {
  return {
    feed: {
      id: "tag",
      name: "Tag",
      aircraft_id: "otto",
      aircraft_name: "Otto",
      air_link_ms: 0,
      hfov_deg: null,
      unsecured: null,
      telemetry_unsecured: null,
      training: false,
      health: null,
      renditions: [],
      state: source({ status: "lost", ...changes }),
    },
    keys: ["rtmp", "srt", "whip"].includes(protocol) ? keys : null,
    keys_readable: true,
    publisher_key: null,
    ways: [
      {
        way: { protocol, address: "", local: false, pulled: protocol === "rtsp" || protocol === "file" },
        qr: "",
      },
    ],
    steps: [],
    viewers: 0,
    newest: null,
  };
}

describe("whether a feed arrives", () => {
  it("is green only while pictures come and the server says so", () => {
    expect(verdict(source(), true)).toBe("arrives");
    expect(verdict(source(), false)).toBe("unknown");
    expect(verdict(null, true)).toBe("missing");
    for (const status of ["connecting", "stalled", "lost"] as const)
      expect(verdict(source({ status }), true)).toBe("missing");
  });

  it("says why not in a sentence, for every reason there is", () => {
    expect(reasons("de", source({ status: "lost", reason: "key_wrong" }))).toEqual([
      "Der Schlüssel ist falsch.",
    ]);
    expect(reasons("de", null)).toEqual(["Die Quelle wird geöffnet."]);
    expect(reasons("en", source({ status: "stalled" }))).toEqual([
      "The connection is up, the drone is not sending.",
    ]);
    expect(reasons("de", source({ status: "lost", reason: "not in this version" }))).toEqual([
      translate("de", "reason.source_failed"),
    ]);
  });

  it("tells of what arrives what its viewers will miss", () => {
    expect(reasons("de", source({ notes: ["b_frames"] }))).toEqual([translate("de", "note.b_frames")]);
    expect(reasons("de", source())).toEqual([]);
  });

  it("shows what arrives, and nothing of what arrived once", () => {
    const config = { codec: "h264", width_px: 1280, height_px: 720 };
    const state = source({ config, fps: 25, bitrate_bps: 4_120_000 });
    expect(figures("de", state)).toBe("H.264, 1280 × 720, 25,0 Bilder/s, 4,1 Mbit/s");
    expect(figures("en", { ...state, fps: null })).toBe("H.264, 1280 × 720, -- pictures/s, 4.1 Mbit/s");
    expect(figures("de", { ...state, status: "stalled" })).toBe("");
  });
});

describe("what to do next", () => {
  it("is nothing while pictures come", () => {
    expect(nextStep(camera({ status: "live" }))).toBe("next.nothing");
  });

  it("begins with a key where there is none", () => {
    expect(nextStep(camera({ status: "connecting" }, "rtmp", 0))).toBe("next.make_key");
    expect(nextStep(camera({ reason: "key_wrong" }, "rtmp", 0))).toBe("next.make_key");
    expect(nextStep(camera({ status: "connecting" }, "rtmp", 1))).toBe("next.start");
    expect(nextStep(camera({ reason: "key_wrong" }))).toBe("next.new_key");
    expect(nextStep(camera({ reason: "not_acceptable" }, "whip"))).toBe("next.format");
  });

  it("is the operator's where keys cannot be read: another key would not help", () => {
    const locked = { ...camera({ reason: "no_publisher" }, "rtmp", 0), keys_readable: false };
    expect(nextStep(locked)).toBe("next.operator");
  });

  it("depends on how the feed is reached", () => {
    const silent = { reason: "no_packets" };
    expect(nextStep(camera(silent, "rtp"))).toBe("next.point_here");
    expect(nextStep(camera(silent, "mpegts"))).toBe("next.point_here");
    expect(nextStep(camera(silent, "rtsp"))).toBe("next.check_camera");
    const opening = { status: "connecting", reason: "connecting" } as const;
    expect(nextStep(camera(opening, "rtsp"))).toBe("next.wait");
    expect(nextStep(camera(opening, "rtp"))).toBe("next.point_here");
    expect(nextStep(camera({ reason: "port_in_use" }, "rtp"))).toBe("next.operator");
  });

  it("is chosen for every reason in the catalogue, and for nothing else", () => {
    const codes = Object.keys(CATALOGUE)
      .filter((key) => key.startsWith("reason."))
      .map((key) => key.slice("reason.".length));
    expect(codes.length).toBeGreaterThan(30);
    expect(Object.keys(ADVICE).sort()).toEqual(codes.sort());
    for (const code of codes) {
      const step = nextStep(camera({ reason: code }));
      expect(translate("de", step), code).toMatch(/\.$/);
    }
    expect(nextStep(camera({ reason: "not in this version" }))).toBe("next.log");
  });

  it("sends for the doctor only where the doctor can know", () => {
    const sent = Object.entries(ADVICE).filter(([, step]) => step === "next.operator");
    expect(sent.map(([code]) => code).sort()).toEqual([
      "address_refused",
      "encoder_unknown",
      "keys_unreadable",
      "port_in_use",
      "srt_missing",
      "unsupported_url",
      "url_unescaped",
    ]);
    const missing = { reason: "not_found" };
    expect(nextStep(camera(missing, "file"))).toBe("next.operator");
    expect(nextStep(camera(missing, "rtsp"))).toBe("next.camera_address");
  });

  it("names what is to be corrected, and by whom", () => {
    for (const [reason, step] of [
      ["auth_refused", "next.login"],
      ["transport_refused", "next.transport"],
      ["passphrase_wrong", "next.called_passphrase"],
      ["passphrase_of_sender", "next.passphrase"],
      ["not_connected", "next.webrtc"],
      ["forbidden_sender", "next.allow"],
      ["no_fps", "next.fps"],
    ] as const)
      expect(nextStep(camera({ reason }, "srt", 1))).toBe(step);
  });
});

describe("ways that are off", () => {
  const ways_off = { srt: "srt_missing", rtmp: "port_in_use" };
  const off = source({ status: "connecting", reason: "no_publisher", ways_off });
  const scanned = (protocol: Protocol, pulled = false): PilotFeed["ways"][number] => ({
    way: { protocol, address: "", local: false, pulled },
    qr: "",
  });
  const protocols = (ways: PilotFeed["ways"]): Protocol[] => ways.map(({ way }) => way.protocol);

  it("are told with their reason beside the feed's own", () => {
    expect(reasons("de", off)).toEqual([
      "Es sendet noch niemand.",
      "Über SRT geht es gerade nicht. SRT ist aus: Auf dem Server ist libsrt nicht installiert.",
      "Über RTMP geht es gerade nicht. Den Anschluss für dieses Bild benutzt ein anderes Programm auf dem Server.",
    ]);
    const alone = source({ status: "lost", reason: "srt_missing", ways_off: { srt: "srt_missing" } });
    expect(reasons("de", alone)).toEqual([translate("de", "reason.srt_missing")]);
  });

  it("come last, and say so where they are chosen", () => {
    const ways = [scanned("srt"), scanned("rtmp"), scanned("whip")];
    expect(protocols(openFirst(ways, off))).toEqual(["whip", "srt", "rtmp"]);
    expect(protocols(openFirst(ways, source()))).toEqual(["srt", "rtmp", "whip"]);
    expect(protocols(openFirst(ways, null))).toEqual(["srt", "rtmp", "whip"]);
    expect(offSentence("en", off, scanned("srt").way)).toMatch(/^SRT is off just now\. SRT is off: libsrt/);
    expect(offSentence("en", off, scanned("whip").way)).toBe("");
    expect(offSentence("en", off, scanned("srt", true).way)).toBe(""); // called by us: another matter
  });
});

describe("loss", () => {
  const at = (lost_packets: number, damaged = 0): ReturnType<typeof source> =>
    source({ lost_packets, damaged });

  it("counts the last ten seconds, not what was lost before", () => {
    const watch = new LossWatch();
    watch.add(0, at(100));
    expect(watch.sentence("de")).toBe("kein Verlust");
    watch.add(5_000, at(112, 2));
    expect(watch.sentence("de")).toBe("in 10 s verloren: 12 Pakete, 2 Bilder");
    watch.add(14_000, at(112, 2));
    expect(watch.sentence("de")).toBe("in 10 s verloren: 12 Pakete, 2 Bilder");
    watch.add(15_000, at(112, 2));
    expect(watch.sentence("de")).toBe("kein Verlust");
  });

  it("begins anew when the service does", () => {
    const watch = new LossWatch();
    watch.add(0, at(100));
    watch.add(1_000, at(3));
    expect(watch.sentence("en")).toBe("no loss");
    expect(new LossWatch().sentence("en")).toBe("");
  });
});

describe("a way's name", () => {
  it("is translated where it is a word", () => {
    expect([protocolName("de", "file"), protocolName("en", "file")]).toEqual(["Datei", "File"]);
    expect(protocolName("de", "srt")).toBe("SRT");
    expect(protocolName("de", "track")).toBe("Im Videostrom");
  });

  it("says within which stream, or in which file, telemetry comes", () => {
    const way = (protocol: Protocol, address: string): Parameters<typeof telemetryWay>[1] => ({
      protocol,
      address,
      local: false,
      pulled: true,
    });
    const own = [{ id: "fritz-tag", name: "Tageslicht" }];
    const say = (language: Language, ...from: [Protocol, string]): string =>
      telemetryWay(language, way(...from), own);
    expect(say("de", "track", "feed:fritz-tag")).toBe("aus dem Videostrom von Tageslicht");
    expect(say("de", "track", "feed:otto-tag")).toBe("aus dem Videostrom von otto-tag");
    expect(say("en", "track", "srt:a:b.SRT")).toBe("from the file a:b.SRT");
    expect(say("de", "mavlink", "udpin:192.0.2.1:14550")).toBe("udpin:192.0.2.1:14550");
  });
});

describe("an address in parts", () => {
  const way = (protocol: Protocol, address: string): Parameters<typeof partsOf>[0] => ({
    protocol,
    address,
    local: false,
    pulled: false,
  });

  it("is what encoders ask for", () => {
    expect(partsOf(way("rtmp", "rtmp://[2001:db8::1]:1935/live/tag?key=k2"), "")).toEqual([
      ["pilot.server", "rtmp://[2001:db8::1]:1935/live"],
      ["pilot.stream_key", "tag?key=k2"],
    ]);
    expect(partsOf(way("srt", "srt://192.0.2.1:8890?streamid=publish:tag:k2"), "")).toEqual([
      ["pilot.server", "srt://192.0.2.1:8890"],
      ["pilot.stream_id", "publish:tag:k2"],
    ]);
    expect(partsOf(way("whip", "http://192.0.2.1:8080/live/tag/whip"), "k2")).toEqual([
      ["pilot.token", "k2"],
    ]);
    expect(partsOf(way("rtp", "rtp://192.0.2.1:5600"), "k2")).toEqual([]);
  });
});
