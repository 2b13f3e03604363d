/** Keeps cameras at the moment of the one that leads, by playing a little faster or slower. */

import type { Camera } from "./camera";

const LOST_MS = 1000; // further off it is sought anew
const CLOSE_MS = 8; // well below a picture
const WITHIN_MS = 400; // in which a difference is to be made good, at single speed
const BEND_MOST = 0.5;
const BEND_STEP = 0.02; // a rate that changes with every look would never settle

/** The rate for a camera that is so far ahead (negative: behind). */
export function rateFor(aheadMs: number, speed: number): number {
  if (Math.abs(aheadMs) < CLOSE_MS) return speed;
  const bend = Math.max(-BEND_MOST, Math.min(BEND_MOST, aheadMs / WITHIN_MS / Math.max(1, speed)));
  return speed * (1 - Math.round(bend / BEND_STEP) * BEND_STEP);
}

export class InStep {
  keep(leader: Camera, cameras: Iterable<Camera>, speed: number): void {
    const utcMs = leader.reel.positionUtcMs;
    leader.go(true, speed);
    if (utcMs === null) return;
    for (const camera of cameras) {
      if (camera === leader || !camera.hasPicture) continue;
      if (camera.isOver) camera.leave();
      else this.follow(camera, utcMs, speed, !leader.reel.player.isStalled);
    }
  }

  private follow(camera: Camera, utcMs: number, speed: number, leaderMoves: boolean): void {
    const aheadMs = camera.reel.aheadOf(utcMs);
    if (aheadMs === null || Math.abs(aheadMs) > LOST_MS * Math.max(1, speed)) camera.seek(utcMs);
    else camera.go(leaderMoves, rateFor(aheadMs, speed));
  }
}
