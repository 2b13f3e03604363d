/**
 * Plays the cameras of a recorded flight, all at one moment of UTC.
 *
 * The main camera leads, and the others keep in step with it. Where it has no picture, another leads; where none
 * has, the clock goes on by itself, and leaps to the next picture once the gap has been told of. While it stands
 * still, the moment is that of the main picture on the screen, by its own time.
 */

import type { Sample } from "../api";
import type { Flight } from "../flights/api";
import type { Span } from "../rewind/api";
import { Telemetry } from "../rewind/telemetry";
import { Camera } from "./camera";
import { InStep } from "./inStep";
import type { ReviewDeck } from "./reviewDeck";

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;

const TICK_MS = 40;
const GAP_SHOWN_MS = 1500;
const PATIENCE_MS = 1500; // for cameras that are slower than the main one
const STEPS_MOST = 10; // that wait for their picture
const STEP_WITHIN_MS = 2000;
const BEFORE_MS = 1; // the picture that is on the screen a moment before
const LOOK_EVERY_MS = 5000;
const TELEMETRY_LAG_MS = 1500;

/** Pictures that are waited for. */
interface Wait {
  sinceAt: number; // performance.now()
  mainAt: number | null; // when the main one came
  isStep: boolean; // the others go where the main one leads
}

export class Deck implements ReviewDeck {
  paused = true;
  speed = 1;
  /** How long the last seek took until the main picture was on the screen. */
  lastSeekMs: number | null = null;
  readonly cameras: ReadonlyMap<string, Camera>;
  private readonly telemetry: Telemetry;
  private readonly inStep = new InStep();
  private readonly listeners = new Set<() => void>();
  private atMs: number | null = null;
  private wait: Wait | null = null;
  private steps = 0;
  private stepAt = 0; // performance.now()
  private gapAt: number | null = null; // performance.now()
  private tickedAt = performance.now();
  private lookedAt = performance.now();

  constructor(
    readonly flight: Flight,
    readonly feeds: readonly string[],
    public main: string,
  ) {
    const events = (id: string): { picture(): void; change(): void } => ({
      picture: () => id === this.main && this.pictured(),
      change: () => this.changed(),
    });
    this.cameras = new Map(feeds.map((id) => [id, new Camera(flight.id, id, events(id))]));
    this.telemetry = new Telemetry(flight.id, {
      momentMs: () => this.atMs,
      nowMs: () => (flight.ended_ms === null ? this.whole.toMs + TELEMETRY_LAG_MS : Infinity),
      told: () => this.changed(),
      failed: () => undefined, // it is asked for again
    });
    window.setInterval(() => this.tick(), TICK_MS);
  }

  /** Learn what there is, and show the moment; null: the first picture of the main camera. */
  async open(utcMs: number | null): Promise<void> {
    await Promise.all([...this.cameras.values()].map((camera) => camera.look().catch(() => undefined)));
    this.seek(utcMs ?? this.leading.span?.fromMs ?? this.flight.started_ms);
  }

  get momentMs(): number | null {
    return this.atMs;
  }

  /** Whether the picture of the moment is still looked for. */
  get seeking(): boolean {
    return this.atMs === null || (this.wait !== null && this.wait.mainAt === null) || this.steps !== 0;
  }

  /** What the aircraft told of the moment. */
  get sample(): Sample | null {
    return this.atMs === null ? null : this.telemetry.at(this.atMs);
  }

  get knowsSample(): boolean {
    return this.atMs !== null && this.telemetry.holds(this.atMs);
  }

  /** Of the flight, as far as there is something of it. */
  get whole(): Span {
    const { started_ms: fromMs, ended_ms: endedMs } = this.flight;
    const ends = [...this.cameras.values()].map(({ span }) => span?.toMs ?? fromMs);
    return { fromMs, toMs: endedMs ?? Math.max(fromMs, ...ends) };
  }

  seek(utcMs: number): void {
    const { fromMs, toMs } = this.whole;
    this.atMs = Math.min(Math.max(utcMs, fromMs), toMs);
    [this.steps, this.gapAt] = [0, null];
    this.await(false);
    for (const camera of this.cameras.values()) camera.seek(this.atMs);
    this.telemetry.seek(this.atMs);
    this.changed();
  }

  play(): void {
    const isOver = this.leading.isOver || (this.atMs ?? 0) >= this.whole.toMs;
    if (isOver) this.seek(this.leading.span?.fromMs ?? this.whole.fromMs);
    this.paused = false;
    this.tickedAt = performance.now();
    this.start();
    this.changed();
  }

  pause(): void {
    this.paused = true;
    this.start();
    this.gather();
    this.changed();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.start();
    this.changed();
  }

  /** Show another camera large. */
  choose(feedId: string): void {
    if (!this.cameras.has(feedId) || feedId === this.main) return;
    this.main = feedId;
    if (this.paused) this.gather();
    this.changed();
  }

  /** To the main camera's next picture, or the one before. */
  step(direction: 1 | -1): void {
    if (!this.paused) this.pause();
    this.steps = Math.min(STEPS_MOST, Math.max(-STEPS_MOST, this.steps + direction));
    this.stepAt = performance.now();
    this.takeStep();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // --- what is on the screen --------------------------------------------------------------------------------

  private get leading(): Camera {
    const camera = this.cameras.get(this.main);
    if (!camera) throw new Error(`no camera ${this.main}`); // the page knows which there are
    return camera;
  }

  private get others(): Camera[] {
    return [...this.cameras.values()].filter(({ feedId }) => feedId !== this.main);
  }

  private pictured(): void {
    const { displayedMs } = this.leading;
    if (displayedMs !== null) this.atMs = displayedMs;
    if (this.wait) this.watch(performance.now());
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** Standing still, all show the moment of the main picture. */
  private gather(): void {
    const { displayedMs } = this.leading;
    if (displayedMs !== null) this.atMs = displayedMs;
    if (this.atMs === null || this.wait) return;
    for (const camera of this.others) camera.seek(this.atMs);
  }

  // --- the clock --------------------------------------------------------------------------------------------

  private tick(): void {
    const now = performance.now();
    const passedMs = (now - this.tickedAt) * this.speed;
    this.tickedAt = now;
    this.lookAgain(now);
    if (this.wait) this.watch(now);
    else if (this.paused) this.takeStep();
    else if (this.atMs !== null) this.run(this.atMs, passedMs, now);
  }

  private await(isStep: boolean): void {
    this.wait = { sinceAt: performance.now(), mainAt: null, isStep };
    this.start();
  }

  /** All begin at the same time, once they have their pictures; the main one is not kept waiting for long. */
  private watch(now: number): void {
    const { wait } = this;
    if (!wait || !this.leading.isSettled) return;
    if (wait.mainAt === null) {
      wait.mainAt = now;
      this.lastSeekMs = now - wait.sinceAt;
      if (wait.isStep && this.atMs !== null) for (const camera of this.others) camera.seek(this.atMs);
      this.changed();
    }
    if (!this.others.every(({ isSettled }) => isSettled) && now - wait.mainAt < PATIENCE_MS) return;
    this.wait = null;
    this.start();
  }

  private start(): void {
    const playing = !this.paused && this.wait === null;
    for (const camera of this.cameras.values()) camera.go(playing, this.speed);
  }

  private run(atMs: number, passedMs: number, now: number): void {
    const leader = [this.leading, ...this.others].find(({ hasPicture }) => hasPicture);
    if (!leader) return this.runFree(atMs + passedMs, now);
    this.gapAt = null;
    if (leader.isOver) return this.finish(leader);
    this.atMs = leader.displayedMs ?? atMs;
    for (const camera of this.cameras.values()) camera.reach(this.atMs);
    this.inStep.keep(leader, this.cameras.values(), this.speed);
    if (leader !== this.leading) this.changed();
  }

  /** No camera has a picture of the moment: what was not recorded is told of, then it goes on behind it. */
  private runFree(utcMs: number, now: number): void {
    const { toMs } = this.whole;
    this.atMs = Math.min(utcMs, toMs);
    this.gapAt ??= now;
    const nextMs = Math.min(...[...this.cameras.values()].map(({ gap }) => gap?.toMs ?? Infinity));
    for (const camera of this.cameras.values()) camera.reach(this.atMs);
    if (Number.isFinite(nextMs) && now - this.gapAt > GAP_SHOWN_MS) return this.seek(nextMs);
    if (this.atMs >= toMs && this.flight.ended_ms !== null) this.paused = true;
    this.changed();
  }

  /** A camera has come to its end; the flight has, where no other has anything later. */
  private finish(leader: Camera): void {
    const endMs = leader.span?.toMs ?? 0;
    const goesOn = [...this.cameras.values()].some(({ span }) => (span?.toMs ?? 0) > endMs + PATIENCE_MS);
    if (goesOn) leader.leave();
    else this.pause();
  }

  private takeStep(): void {
    const direction = this.steps > 0 ? 1 : -1;
    if (this.steps === 0 || this.wait) return;
    const { gap, reel } = this.leading;
    const waiting = this.steps - direction;
    if (gap) {
      const toMs = direction > 0 ? gap.toMs : gap.fromMs - BEFORE_MS;
      if (Number.isFinite(toMs)) this.seek(toMs);
      this.steps = Number.isFinite(toMs) ? waiting : 0;
    } else if (reel.step(direction)) {
      this.steps = waiting;
      this.await(true);
    } else if (performance.now() - this.stepAt > STEP_WITHIN_MS || this.leading.isOver) {
      this.steps = 0; // there is none
    }
    this.changed();
  }

  /** A flight that is still recorded grows; and what could not be asked for is asked for again. */
  private lookAgain(now: number): void {
    if (now - this.lookedAt < LOOK_EVERY_MS) return;
    this.lookedAt = now;
    for (const camera of this.cameras.values()) {
      if (camera.isKnown && this.flight.ended_ms !== null) continue;
      const wasKnown = camera.isKnown;
      const seek = (): void => void (!wasKnown && this.atMs !== null && camera.seek(this.atMs));
      void camera.look().then(seek, () => undefined);
    }
  }
}
