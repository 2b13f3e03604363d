import type { Rendition, RenditionChosen, RenditionState, Sample, SourceState } from "../src/api";

/** A sample with everything known, received just now; `changes` override. */
export function sample(changes: Partial<Sample> = {}): Sample {
  const utc_ms = changes.utc_ms ?? 1_000_000;
  const groups = [
    "position",
    "attitude",
    "speed",
    "gimbal",
    "battery",
    "fix",
    "mode",
    "home",
    "link",
  ] as const;
  return {
    rtp_timestamp: null,
    utc_ms,
    aircraft_id: "fritz",
    lat_deg: 49.44,
    lon_deg: 7.77,
    alt_msl_m: 335.2,
    alt_home_m: 84.4,
    alt_agl_m: null,
    roll_deg: 1,
    pitch_deg: 2,
    yaw_deg: 90,
    gimbal_pitch_deg: -45,
    gimbal_yaw_deg: 90,
    ground_speed_ms: 12.34,
    climb_ms: 0.5,
    battery_pct: 71,
    battery_v: 22.8,
    fix: "3d",
    satellites: 14,
    mode: "POSHOLD",
    armed: true,
    home: null,
    received_ms: Object.fromEntries(groups.map((group) => [group, utc_ms])),
    ...changes,
  };
}

export function source(changes: Partial<SourceState> = {}): SourceState {
  return {
    status: "live",
    since_ms: 0,
    reason: "",
    detail: "",
    notes: [],
    config: null,
    fps: 30,
    bitrate_bps: null,
    pictures: 0,
    lost_packets: 0,
    damaged: 0,
    restarts: 0,
    address: "",
    ...changes,
  };
}

export function made(changes: Partial<RenditionState> = {}): RenditionState {
  return {
    rendition: "web",
    status: "live",
    since_ms: 0,
    reason: "",
    detail: "",
    why: ["codec_h265"],
    encoder: "libx264",
    width_px: 1280,
    height_px: 720,
    cpu_share: 0.412,
    delay_ms: 44.7,
    dropped: 0,
    ...changes,
  };
}

/** A viewer that is sent this, by its way. */
export const sent = (rendition: Rendition, target = rendition): RenditionChosen => ({
  rendition,
  target,
  pinned: null,
  choices: [rendition],
});
