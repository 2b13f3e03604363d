/** Looking back from the live page: whether it can be done, how it is begun and ended, and what is said of it. */

import { mayRewind } from "../access/me";
import type { AlarmBoard } from "../alarms/board";
import { isKey, translate, type Key, type Language } from "../catalogue";
import { timeOfDay } from "../format";
import type { Mark } from "../marks/api";
import type { Pane } from "../pane";
import type { ServerTime } from "../serverTime";
import { getAlarms, getIndex, Gone, type Span } from "./api";
import { destination } from "./course";
import { canPlay } from "./player";
import { Session, type End, type Past } from "./session";
import { Timeline } from "./timeline";
import { ticksOf } from "./ticks";
import { TimelineBar } from "./timelineBar";

const OVERVIEW_EVERY_MS = 15_000;
const FIRST_EVERY_MS = 2000; // while there is nothing yet
const BEGUN_MS = 2500; // by then the first pictures of a flight are written
const SAID_MS = 6000;
const LAG_MS = 1200; // what was shown just now is written by then

export interface DeskEvents {
  /** It began or ended: everything on the page is to be shown anew. */
  change(): void;
  /** Another picture of the recording is on the screen. */
  picture(pane: Pane): void;
}

export class RewindDesk {
  readonly bar: TimelineBar;
  private pane: Pane | null = null;
  private session: Session | null = null;
  private overview = new Timeline();
  private refusal: Key | null = null; // why this recording cannot be played here
  private alarmsBefore: number[] = []; // since the flight began, as of when the page came to it
  private overviewOf = ""; // flight and feed
  private overviewAt = 0;
  private said: { key: Key; untilMs: number } | null = null;
  private language: Language = "de";

  constructor(
    private readonly time: ServerTime,
    private readonly events: DeskEvents,
  ) {
    this.bar = new TimelineBar({
      step: (ms) => this.step(ms),
      seek: (utcMs) => (utcMs === null ? this.live() : this.goTo(utcMs)),
      pause: () => this.pause(),
      speed: () => this.nextSpeed(),
      live: () => this.live(),
    });
    document.addEventListener("visibilitychange", () => this.session?.go(document.hidden));
  }

  /** What the main picture shows instead of the live one; null: it is live. */
  get past(): Past | null {
    return this.session;
  }

  /** The main picture; another one is shown live. */
  watch(pane: Pane | null): void {
    if (pane === this.pane) return;
    this.live();
    this.pane = pane;
    this.said = null;
  }

  step(ms: number): void {
    const span = this.recorded;
    if (!span || (this.session === null && ms > 0)) return;
    const from = this.session?.course.momentMs ?? this.liveMs ?? span.toMs;
    const to = destination(from, ms, span);
    if (to === null) this.live();
    else this.goTo(to);
  }

  /** From live: the moment stands still. */
  pause(): void {
    const { session } = this;
    if (!session) {
      const { recorded } = this;
      if (recorded) this.goTo(Math.min(this.liveMs ?? Infinity, recorded.toMs - LAG_MS), true);
      return;
    }
    session.course.paused = !session.course.paused;
    session.go(document.hidden);
    this.events.change();
  }

  /** Back to the live picture, which has gone on underneath. */
  live(): void {
    const { session, pane } = this;
    if (!session) return;
    this.session = null;
    session.close();
    pane?.showPast(null);
    this.events.change();
  }

  /** What cannot be done while the past is shown. */
  say(key: Key): void {
    this.said = { key, untilMs: performance.now() + SAID_MS };
    this.events.change();
  }

  show(language: Language, marks: readonly Mark[], alarms: AlarmBoard): void {
    this.language = language;
    void this.look();
    const { recorded, pane } = this;
    this.bar.element.hidden = recorded === null || pane === null;
    if (!recorded || !pane) return;
    const { course } = this.session ?? {};
    const { aircraft_id: aircraft } = pane.channel.feed;
    this.bar.show({
      language,
      recorded,
      momentMs: course ? course.momentMs : null,
      paused: course?.paused ?? false,
      speed: course?.speed ?? 1,
      gaps: (this.session?.timeline.segments.length ? this.session.timeline : this.overview).gaps,
      ticks: ticksOf(aircraft, marks, [...this.alarmsBefore, ...alarms.heard(aircraft)]),
      live: pane.channel.state.name,
      says: this.sentence(),
      usable: this.refusal === null,
    });
  }

  private nextSpeed(): void {
    const { session } = this;
    if (!session) return;
    session.course.nextSpeed();
    session.go(document.hidden);
    this.events.change();
  }

  private get nowMs(): number | null {
    return this.time.at(performance.now());
  }

  private get flightId(): string {
    if (!mayRewind()) return "";
    const { recording } = this.pane?.channel ?? {};
    return this.session?.flightId ?? (recording?.status === "off" ? "" : (recording?.flight_id ?? ""));
  }

  /** The moment of the live picture. */
  private get liveMs(): number | null {
    return this.pane?.channel.referenceMs() ?? null;
  }

  /** From the flight's start until now; null where nothing is recorded, or nothing of this feed yet. */
  private get recorded(): Span | null {
    const { nowMs, flightId } = this;
    const started = this.session?.timeline.span?.fromMs ?? this.overview.span?.fromMs;
    const fromMs = started ?? (this.refusal ? this.pane?.channel.recording?.started_ms : undefined);
    if (nowMs === null || flightId === "" || fromMs === undefined || fromMs === null) return null;
    return nowMs > fromMs ? { fromMs, toMs: nowMs } : null;
  }

  private goTo(utcMs: number, paused = false): void {
    if (!this.pane || this.refusal) return;
    this.session ??= this.begun(this.pane, paused);
    this.session.seek(utcMs);
    this.events.change();
  }

  private begun(pane: Pane, paused: boolean): Session {
    const session = new Session(this.flightId, pane.channel.feed.id, () => this.nowMs ?? 0, {
      picture: () => this.events.picture(pane),
      ended: (why) => this.ended(why),
    });
    session.course.paused = paused;
    pane.showPast(session);
    session.go(document.hidden);
    return session;
  }

  private ended(why: End): void {
    this.live();
    if (why !== "caught_up") this.say(`rewind.trouble.${why}`);
  }

  private sentence(): string | null {
    const { language, said } = this;
    if (this.refusal) return translate(language, this.refusal);
    if (said && performance.now() < said.untilMs) return translate(language, said.key);
    if (this.session?.isUnreachable) return translate(language, "rewind.trouble.unreachable");
    const { recording } = this.pane?.channel ?? {};
    if (recording?.status !== "failed") return null;
    return translate(language, "rewind.failed", { time: timeOfDay(recording.since_ms) });
  }

  /** Now and then: what there is to look back to, and where its gaps are. */
  private async look(): Promise<void> {
    const { pane, flightId } = this;
    const now = performance.now();
    const wanted = pane && flightId ? `${flightId} ${pane.channel.feed.id}` : "";
    if (wanted !== this.overviewOf) {
      [this.overviewOf, this.overviewAt] = [wanted, -OVERVIEW_EVERY_MS];
      [this.overview, this.refusal, this.alarmsBefore] = [new Timeline(), null, []];
    }
    const everyMs = this.overview.span ? OVERVIEW_EVERY_MS : FIRST_EVERY_MS;
    if (!pane || wanted === "" || document.hidden || now - this.overviewAt < everyMs) return;
    const startedMs = pane.channel.recording?.started_ms ?? 0;
    if (this.nowMs === null || this.nowMs - startedMs < BEGUN_MS) return;
    const isFirst = this.overview.span === null;
    this.overviewAt = now;
    const { signal } = new AbortController();
    try {
      const view = await getIndex(flightId, pane.channel.feed.id, null, signal);
      const alarms = isFirst ? await getAlarms(flightId, signal) : this.alarmsBefore;
      if (this.overviewOf !== wanted) return;
      this.alarmsBefore = alarms;
      this.overview.take(view, null);
      const reason = `rewind.trouble.${view.reason}`;
      const readable = view.segments.every(({ mime }) => canPlay(mime));
      this.refusal = isKey(reason) ? reason : readable ? null : "rewind.trouble.unsupported";
      this.events.change();
    } catch (error) {
      if (error instanceof Gone) this.overview = new Timeline(); // nothing of this feed yet
    }
  }
}
