/** What whoever reads the pilot page does next, for every reason why a feed may not arrive. */

import type { Key } from "../catalogue";

/** `usual`: nothing is wrong yet, and what is missing depends on how the feed is reached. `next.operator`
 * sends for the doctor, which must know the cause then. */
export const ADVICE = {
  connecting: "usual",
  no_packets: "usual",
  no_publisher: "usual",
  publisher_left: "usual",

  // who sends to us
  key_missing: "next.new_key",
  key_wrong: "next.new_key",
  key_foreign: "next.new_key",
  key_withdrawn: "next.new_key",
  bad_address: "next.new_key",
  bad_stream_id: "next.new_key",
  feed_busy: "next.other_sender",
  not_pushed: "next.address_below",
  passphrase_of_sender: "next.passphrase",
  bad_offer: "next.restart_sender",
  not_connected: "next.webrtc",
  publisher_silent: "next.check_sender",
  publisher_garbled: "next.format",
  stalled: "next.check_sender",
  forbidden_sender: "next.allow",

  // what comes
  waiting_for_keyframe: "next.keyframes",
  no_keyframe: "next.keyframes",
  overrun: "next.overrun",
  no_video: "next.camera_on",
  not_video: "next.format",
  multitrack: "next.format",
  not_acceptable: "next.format",
  unsupported_codec: "next.format",
  undecodable: "next.format",
  rtp_mpeg4: "next.format",
  rtp_vp8: "next.format",
  rtp_vp9: "next.format",
  encoder_slow: "next.lighter",
  encoder_failed: "next.encoder",
  encoder_unknown: "next.operator",

  // cameras that we call
  unreachable: "next.check_camera",
  no_answer: "next.check_camera",
  connection_lost: "next.check_camera",
  server_refused: "next.check_camera",
  auth_refused: "next.login",
  not_found: "next.camera_address",
  not_rtsp: "next.camera_address",
  redirected: "next.camera_address",
  transport_refused: "next.transport",
  srt_refused: "next.called_stream_id",
  passphrase_wrong: "next.called_passphrase",
  no_fps: "next.fps",
  source_ended: "next.ended",
  source_failed: "next.wait",
  source_restarted: "next.wait",

  // the server
  port_in_use: "next.operator",
  address_refused: "next.operator",
  srt_missing: "next.operator",
  keys_unreadable: "next.operator",
  unsupported_url: "next.operator",
  url_unescaped: "next.operator",
  internal: "next.log",

  // told of stills and renditions, not of a feed
  no_picture: "next.wait",
  decoder_failed: "next.wait",
  no_source: "next.wait",
  not_needed: "next.nothing",
} as const satisfies Record<string, Key | "usual">;

export type Advice = (typeof ADVICE)[keyof typeof ADVICE];

/** A reason that this page does not know yet is in the log. */
export const adviceOn = (reason: string): Advice =>
  Object.hasOwn(ADVICE, reason) ? ADVICE[reason as keyof typeof ADVICE] : "next.log";

/** The same for a telemetry link (LinkState). */
const LINK_ADVICE: Record<string, Key> = {
  no_messages: "next.telemetry",
  silent: "next.telemetry",
  connecting: "next.wait",
  connect_failed: "next.telemetry",
  duplicate_system_id: "next.system_id",
  not_mavlink: "next.telemetry",
  forbidden_sender: "next.allow",
  file_ended: "next.nothing",
  no_metadata: "next.metadata",
  bad_checksum: "next.metadata",
  no_checksum: "next.metadata",
  unknown_set: "next.metadata",
  malformed: "next.metadata",
  serial_not_found: "next.radio",
  serial_gone: "next.radio",
  signature_missing: "next.signing",
  signature_wrong: "next.signing",
  signature_replayed: "next.signing",
  internal: "next.log",
};

/** What else there is, is in the settings or with the server. */
export const linkAdvice = (reason: string): Key =>
  Object.hasOwn(LINK_ADVICE, reason) ? (LINK_ADVICE[reason] as Key) : "next.operator";
