/** What the service knows of the flight, beside its pictures; kept true by asking again. */

import { getFlight, type Flight } from "../../flights/api";
import { refusalCode } from "../../requests";
import type { Span } from "../../rewind/api";
import { GAP_MS, Timeline } from "../../rewind/timeline";
import { getEvents, getNotes, getSegments, getTrack, type Note, type RecordedEvent } from "./api";
import { FlightTrack } from "./track";

export class FlightFacts {
  /** null: not heard yet. */
  track: FlightTrack | null = null;
  events: readonly RecordedEvent[] | null = null;
  notes: readonly Note[] | null = null;
  /** The code of what could not be had; null: all of it could. */
  problem: string | null = null;
  private readonly gaps = new Map<string, readonly Span[]>();

  constructor(private flight: Flight) {}

  get isRunning(): boolean {
    return this.flight.ended_ms === null;
  }

  /** From its start to its end, or as far as it has come. */
  get whole(): Span {
    const { started_ms: fromMs, ended_ms: ended, duration_ms: lasted } = this.flight;
    return { fromMs, toMs: Math.max(ended ?? fromMs + lasted, fromMs + 1) };
  }

  /** When there is no picture of that camera. */
  gapsOf(feedId: string): readonly Span[] {
    const isFilmed = this.flight.feeds.some(({ id, pictures }) => id === feedId && pictures > 0);
    return isFilmed ? (this.gaps.get(feedId) ?? []) : [this.whole];
  }

  /** Ask for all that may have changed; what cannot be had stays as it was. */
  async renew(): Promise<void> {
    const first = this.track === null || this.problem !== null;
    const asked =
      first || this.isRunning ? [this.renewNotes(), ...this.renewRecorded()] : [this.renewNotes()];
    const problems = await Promise.all(asked.map((one) => one.then(() => null, refusalCode)));
    this.problem = problems.find((code) => code !== null) ?? null;
  }

  async renewNotes(): Promise<void> {
    this.notes = await getNotes(this.flight.id);
  }

  private renewRecorded(): Promise<void>[] {
    const { id, feeds } = this.flight;
    const flight = async (): Promise<void> => {
      if (this.isRunning) this.flight = await getFlight(id);
    };
    const track = async (): Promise<void> => {
      const { points, cut_ms: cuts } = await getTrack(id);
      this.track = new FlightTrack(points, cuts);
    };
    const events = async (): Promise<void> => {
      this.events = await getEvents(id);
    };
    const filmed = feeds.filter(({ pictures }) => pictures > 0);
    return [flight(), track(), events(), ...filmed.map((feed) => this.renewGaps(feed.id))];
  }

  private async renewGaps(feedId: string): Promise<void> {
    const timeline = new Timeline();
    timeline.take(await getSegments(this.flight.id, feedId), null);
    this.gaps.set(feedId, [...this.edges(timeline.span), ...timeline.gaps]);
  }

  /** Before its first picture and after its last there is nothing to be seen either. */
  private edges(filmed: Span | null): Span[] {
    const { fromMs, toMs } = this.whole;
    if (!filmed) return [{ fromMs, toMs }];
    return [
      { fromMs, toMs: filmed.fromMs },
      ...(this.isRunning ? [] : [{ fromMs: filmed.toMs, toMs }]),
    ].filter((edge) => edge.toMs - edge.fromMs >= GAP_MS);
  }
}
