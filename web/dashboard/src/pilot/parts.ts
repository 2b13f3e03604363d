/** An address taken apart as encoders ask for it: server and stream key (RTMP), server and stream id (SRT). Pure. */

import { translate, type Key, type Language } from "../catalogue";
import type { Way } from "./api";

export type Part = readonly [label: Key, text: string];

/** The fields of a way; none where the address is typed as a whole. `key` is WHIP's, which stands beside. */
export function partsOf({ protocol, address }: Way, key: string): Part[] {
  switch (protocol) {
    case "rtmp": {
      const cut = address.lastIndexOf("/");
      return [
        ["pilot.server", address.slice(0, cut)],
        ["pilot.stream_key", address.slice(cut + 1)],
      ];
    }
    case "srt": {
      const [server, id] = address.split("?streamid=");
      return [
        ["pilot.server", server ?? ""],
        ["pilot.stream_id", id ?? ""],
      ];
    }
    case "whip":
      return [["pilot.token", key]];
    default:
      return [];
  }
}

/** How a protocol is called on the buttons that choose one. */
export function protocolName(language: Language, protocol: Way["protocol"]): string {
  if (protocol === "camera") return translate(language, "pilot.way_camera");
  if (protocol === "track") return translate(language, "pilot.way_track");
  return protocol === "file" ? translate(language, "pilot.way_file") : NAMES[protocol];
}

/** Where an aircraft's telemetry comes from: an address, or in words what is none. `feeds` are its own. */
export function telemetryWay(
  language: Language,
  { protocol, address }: Way,
  feeds: readonly { id: string; name: string }[],
): string {
  if (protocol !== "track") return address;
  const colon = address.indexOf(":");
  const name = address.slice(colon + 1);
  return address.startsWith("feed:")
    ? translate(language, "pilot.track_feed", { feed: feeds.find(({ id }) => id === name)?.name ?? name })
    : translate(language, "pilot.track_file", { file: name });
}

const NAMES: Record<Exclude<Way["protocol"], "camera" | "file" | "track">, string> = {
  srt: "SRT",
  rtmp: "RTMP",
  whip: "WHIP",
  rtp: "RTP",
  mpegts: "MPEG-TS",
  rtsp: "RTSP",
  mavlink: "MAVLink",
};
