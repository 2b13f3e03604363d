/** One feed as it is watched: picture, telemetry and time brought together. No layout. */

import type {
  Config,
  Feed,
  LinkState,
  RecordingState,
  RenditionChosen,
  Sample,
  ServerMessage,
  SharedMessage,
  StatusText,
  StorageState,
} from "./api";
import { whepUrl } from "./api";
import { ageMs, Anchors, capturedMs, type Capture } from "./age";
import { Backoff } from "./backoff";
import { FeedSocket } from "./feedSocket";
import { FrameWatch, type DisplayedFrame } from "./frames";
import { PictureState, type PictureStateName } from "./pictureState";
import type { Look } from "./marks/api";
import { wish, type Fixed } from "./quality";
import { Unwrapper } from "./rtp";
import { warns } from "./sentences";
import type { ServerTime } from "./serverTime";
import { SampleRing } from "./telemetry";
import { Viewing } from "./viewing";
import { WhepClient, type Refusal } from "./whep";

/** The source is live and the connection stands, but no picture arrives: start anew, ever more rarely. */
const STUCK_FIRST_MS = 3000;
const STUCK_MOST_MS = 30_000; // beyond the longest wait for a keyframe
const STUCK_SUSPECT_MS = 300; // the server was away: this connection is probably its predecessor's

/** The picture on the screen and what belongs to it. */
export interface Shown {
  rtpTimestamp: number | null;
  ticks: number | null; // the same, unwrapped
  capture: Capture | null;
  displayAt: number; // performance.now()
  sample: Sample | null; // telemetry of this very picture
  estimated: boolean;
}

export interface ChannelEvents {
  picture(): void;
  /** The displayed picture's own telemetry has arrived after it. */
  sample(): void;
  change(): void;
  feeds(feeds: Feed[]): void;
  /** What concerns all pages: alarms and marks, and who watches. */
  shared(message: SharedMessage): void;
  /** This viewer may watch no more. */
  ended(): void;
}

const NOBODY = 401;

export class Channel {
  readonly video = document.createElement("video");
  readonly state: PictureState;
  shown: Shown | null = null;
  link: LinkState | null = null;
  text: StatusText | null = null;
  recording: RecordingState | null = null; // null: not told (yet)
  storage: StorageState | null = null;
  isWatched = true; // else its pictures go on underneath, and something else is shown
  look: Look | null = null; // it holds for as long as samples come
  chosen: RenditionChosen | null = null; // of the session that this page watches by
  private unwrapper = new Unwrapper();
  private anchors = new Anchors(this.unwrapper);
  private ring = new SampleRing();
  private readonly socket: FeedSocket;
  private whep: WhepClient;
  private readonly frames: FrameWatch;
  private fixed: Fixed | null = null; // outlives the session
  private toldFor: string | null = null; // the session that has been asked for it
  private session: string | null = null;
  private readonly patience = new Backoff(STUCK_FIRST_MS, STUCK_MOST_MS);
  private stuckLimitMs = this.patience.nextMs();
  private stuckSince: number | null = null;
  private opened = false;
  private readonly viewing = new Viewing(performance.now());

  constructor(
    public feed: Feed,
    config: Config,
    private readonly time: ServerTime,
    private readonly events: ChannelEvents,
  ) {
    this.state = new PictureState(config.thresholds);
    Object.assign(this.video, {
      muted: true,
      autoplay: true,
      playsInline: true,
      disableRemotePlayback: true,
    });
    this.whep = this.dial();
    this.socket = new FeedSocket(
      feed.id,
      time,
      (message, now) => this.receive(message, now),
      (open) => this.serverCameOrWent(open),
      () => this.events.ended(),
    );
    this.frames = new FrameWatch(
      this.video,
      () => this.whep.receiver,
      (frame) => this.display(frame),
    );
  }

  get serverReachable(): boolean {
    return this.socket.open;
  }

  get newestSample(): Sample | null {
    return this.ring.newest;
  }

  /** The sample to show: the displayed picture's while pictures come, else the newest there is. */
  get sample(): Sample | null {
    return this.isMoving ? (this.shown?.sample ?? this.ring.newest) : this.ring.newest;
  }

  /**
   * Since when (server time) the camera sends the same picture again and again; null while it does not.
   * What was said last holds while the server is silent: pictures may go on to come.
   */
  get identicalSinceMs(): number | null {
    const { health } = this.feed;
    return health?.findings.includes("frozen") ? health.since_ms : null;
  }

  get isMoving(): boolean {
    return this.state.name === "live" || this.state.name === "delayed";
  }

  /** The moment of server time that `sample` is shown for. */
  referenceMs(now = performance.now()): number | null {
    const capture = this.isMoving ? this.shown?.capture : null;
    return capture ? capturedMs(capture, this.feed.air_link_ms) : this.time.at(now);
  }

  /** Age of the displayed picture; counts on while nothing new comes. null where it cannot be known. */
  ageMs(now = performance.now()): number | null {
    const shown = this.shown;
    const server = this.time.at(Math.max(now, shown?.displayAt ?? 0));
    if (!shown?.capture || server === null) return null;
    if (this.isMoving && !this.anchors.fresh(now)) return null;
    return ageMs(shown.capture, server, this.feed.air_link_ms);
  }

  /** Judge the picture's state; also starts anew where the source sends but nothing arrives here. */
  judge(now: number): PictureStateName {
    const before = this.state.name;
    const { status, fps } = this.feed.state;
    const source = this.serverReachable ? status : null;
    const identical = this.identicalSinceMs !== null;
    const name = this.state.judge({ now, ageMs: this.ageMs(now), source, sourceFps: fps, identical });
    if (name !== before) this.events.change();
    this.account(now);
    this.watchForStuck(now, source === "live" && !identical);
    return name;
  }

  hurry(): void {
    this.socket.hurry();
    if (!this.isMoving) this.whep.restart();
  }

  /** The page goes away (perhaps into the browser's cache) and comes back. */
  suspend(): void {
    this.report(performance.now());
    this.whep.close();
  }

  resume(): void {
    this.whep.close();
    this.whep = this.dial();
    this.socket.hurry();
  }

  /** Fix the size of the picture, or (null) let the server decide again. */
  fix(fixed: Fixed | null): void {
    if (this.chosen === null) return;
    const pinned = wish(fixed, this.chosen);
    if (pinned === undefined) return;
    this.chosen = { ...this.chosen, pinned }; // the server will confirm it
    this.fixed = fixed;
    void this.whep.pin(pinned);
    this.events.change();
  }

  /** Why the server has no place for this viewer; null while it has. */
  get refusal(): Refusal | null {
    return this.whep.refusal;
  }

  close(): void {
    this.report(performance.now());
    this.frames.close();
    this.socket.close();
    this.whep.close();
    this.video.srcObject = null;
  }

  private dial(): WhepClient {
    const show = (stream: MediaStream): void => {
      this.video.srcObject = stream;
      void this.video.play().catch(() => undefined); // autoplay starts muted video anyway
    };
    return new WhepClient(
      whepUrl(this.feed.id),
      show,
      (session) => this.watches(session),
      (status) => this.forbidden(status),
    );
  }

  /** What never played may be a feed that there is not; what has played was taken back. */
  private forbidden(status: number): void {
    if (status === NOBODY || this.shown !== null) this.events.ended();
  }

  private watches(session: string | null): void {
    this.chosen = null;
    this.socket.watches(session);
    this.session = session;
  }

  /** A new session knows nothing of what was fixed in the one before. */
  private fixAgain(): void {
    if (this.session === this.toldFor) return;
    this.toldFor = this.session;
    if (this.fixed !== null) this.fix(this.fixed);
  }

  /** What the viewer gets to see is counted, and told now and then. */
  private account(now: number): void {
    if (this.isWatched) this.viewing.look(now, this.state.name, this.ageMs(now));
    else this.viewing.lookAway(now);
    if (this.viewing.isDue(now)) this.report(now);
  }

  private report(now: number): void {
    if (this.socket.open) this.socket.tell(this.viewing.report(now));
  }

  private watchForStuck(now: number, isSending: boolean): void {
    if (this.isMoving || !isSending || !this.whep.connected) {
      this.stuckSince = null;
      return;
    }
    this.stuckSince ??= now;
    if (now - this.stuckSince < this.stuckLimitMs) return;
    this.stuckSince = null;
    this.stuckLimitMs = this.patience.nextMs();
    this.whep.restart();
  }

  private display(frame: DisplayedFrame): void {
    const ticks = frame.rtpTimestamp === null ? null : this.unwrapper.unwrap(frame.rtpTimestamp);
    this.shown = {
      rtpTimestamp: frame.rtpTimestamp,
      ticks,
      capture: ticks === null ? null : this.anchors.capture(ticks),
      displayAt: frame.displayAt,
      sample: ticks === null ? null : this.ring.at(ticks),
      estimated: frame.estimated,
    };
    this.state.picture(frame.now);
    this.viewing.picture(frame.now);
    this.provePath();
    this.judge(frame.now);
    this.events.picture();
  }

  private receive(message: ServerMessage, now: number): void {
    switch (message.type) {
      case "hello":
        this.feed = message.feed;
        break;
      case "anchor":
        return this.anchors.add(message, now);
      case "telemetry":
        return this.takeSample(message);
      case "state":
        this.takeState(message);
        break;
      case "health":
        if (message.feed_id === this.feed.id) this.feed = { ...this.feed, health: message };
        break;
      case "renditions":
        if (message.feed_id === this.feed.id) this.feed = { ...this.feed, renditions: message.renditions };
        break;
      case "feeds":
        return this.events.feeds(message.feeds);
      case "link":
        this.link = message;
        break;
      case "recording":
        this.recording = message;
        break;
      case "storage":
        this.storage = message;
        break;
      case "rendition":
        this.chosen = message;
        this.fixAgain();
        break;
      case "text":
        if (warns(message)) this.text = message; // what follows at once must not hide it
        break;
      case "alarms":
      case "alarm":
      case "markers":
      case "marker":
      case "present":
        return this.events.shared(message);
      default:
        return;
    }
    this.events.change();
  }

  private takeSample(sample: Sample): void {
    const ticks = sample.rtp_timestamp === null ? null : this.unwrapper.unwrap(sample.rtp_timestamp);
    this.look = sample.look ?? this.look;
    this.ring.push(sample, ticks);
    this.correctShown(ticks);
    this.events.change();
  }

  /** A sample may come after the picture it belongs to: draw that picture's telemetry again. */
  private correctShown(ticks: number | null): void {
    const { shown } = this;
    if (!shown || shown.ticks === null || ticks === null || !this.ring.isNeighbour(ticks, shown.ticks))
      return;
    const sample = this.ring.at(shown.ticks);
    shown.sample = sample;
    this.events.sample();
  }

  private takeState(message: Extract<ServerMessage, { type: "state" }>): void {
    const { type: _, feed_id: id, ...state } = message;
    if (id === this.feed.id) this.feed = { ...this.feed, state };
  }

  private provePath(): void {
    this.whep.proven();
    this.patience.reset();
    this.stuckLimitMs = STUCK_FIRST_MS;
  }

  private serverCameOrWent(open: boolean): void {
    if (open && this.opened) this.serverIsBack();
    this.opened ||= open;
    this.events.change();
  }

  private serverIsBack(): void {
    this.viewing.reconnected();
    this.recording = this.storage = null; // it will tell
    this.startTimelineAnew();
    if (this.whep.connected) this.stuckLimitMs = STUCK_SUSPECT_MS;
    else this.whep.restart();
  }

  /** A restarted server counts anew: nothing from before may be mixed with what comes. */
  private startTimelineAnew(): void {
    this.unwrapper = new Unwrapper();
    this.anchors = new Anchors(this.unwrapper);
    this.ring = new SampleRing();
    this.look = null;
    // The last picture stays on the screen; its timestamp means nothing to the server that is there now.
    if (this.shown) this.shown = { ...this.shown, rtpTimestamp: null, ticks: null };
  }
}
