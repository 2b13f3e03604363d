/** One picture on the page: video, the greyed still when it stops, head-up display, state and sentence. */

import { Badge } from "./badge";
import type { Channel } from "./channel";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { Hud, layOver } from "./hud";
import { icon } from "./icons";
import type { PhotoFacts } from "./photo";
import { Quality } from "./quality";
import { findings, noPicture } from "./sentences";
import { trouble } from "./treatment";
import type { ServerTime } from "./serverTime";
import { momentOf, placeOf, pointAt } from "./marks/pixel";
import { hasPosition } from "./telemetry";
import type { Past } from "./rewind/session";
import { timeOfDay } from "./format";
import { nameBesideMark, TrainingBanner, TrainingTag } from "./trainingMark";
import { UnsecuredMark } from "./unsecured";

const CROSS_MS = 1500; // later it would point at something else

interface Size {
  width: number;
  height: number;
}

type Point = NonNullable<ReturnType<typeof pointAt>>;

export class Pane {
  readonly badge = new Badge(false);
  private readonly unsecured = new UnsecuredMark();
  private readonly quality: Quality;
  private readonly training = new TrainingTag();
  private readonly banner = new TrainingBanner();
  private readonly hud = new Hud();
  private readonly still = h("canvas", { class: "still", hidden: true });
  private readonly head = h("p", { class: "notice-head" });
  private readonly why = h("p", { class: "notice-why", role: "alert" }); // not the head: it counts seconds
  private readonly notice = h("div", { class: "notice", hidden: true }, this.head, this.why);
  private readonly target = h("div", { class: "cross", hidden: true, "aria-hidden": "true" });
  private past: Past | null = null;
  private pointed: Point | null = null;
  private pointedAt = 0; // performance.now()
  private readonly name = h("span", { class: "pane-name" });
  private readonly findingText = h("span", {});
  private readonly finding = h(
    "p",
    { class: "finding", role: "status", hidden: true },
    icon("warning"),
    this.findingText,
  );
  private readonly stage: HTMLElement;
  readonly element: HTMLElement;
  private readonly resized: ResizeObserver;

  constructor(
    readonly channel: Channel,
    private readonly time: ServerTime,
    onTap: (event: MouseEvent) => void,
  ) {
    const { video } = channel;
    this.stage = h(
      "div",
      { class: "stage", onclick: onTap },
      video,
      this.still,
      this.banner.element,
      this.hud.element,
      this.target,
      this.notice,
    );
    this.quality = new Quality((fixed) => channel.fix(fixed));
    const title = h(
      "div",
      { class: "pane-title" },
      this.name,
      this.training.element,
      this.unsecured.element,
      this.quality.element,
      this.badge.element,
    );
    this.element = h(
      "section",
      { class: "pane", "data-feed": channel.feed.id },
      title,
      this.finding,
      this.stage,
    );
    this.resized = new ResizeObserver(() => this.arrange());
    this.resized.observe(this.stage);
    video.addEventListener("resize", () => this.arrange());
  }

  close(): void {
    this.resized.disconnect();
    this.element.remove();
  }

  /** Show the recording in place of the live picture, which goes on underneath; null: live again. */
  showPast(past: Past | null): void {
    this.past?.video.remove();
    this.past = past;
    this.channel.isWatched = past === null;
    this.element.toggleAttribute("data-past", past !== null);
    this.cross(null);
    if (!past) return;
    this.still.after(past.video);
    past.video.addEventListener("resize", () => this.arrange());
  }

  /**
   * The moment (server time) that the newest displayed picture shows, or null. Not when it was displayed: who
   * joins a feed that has stopped is shown its last pictures, and they may be minutes old.
   */
  get lastPictureUtcMs(): number | null {
    const { state, shown, identicalSinceMs } = this.channel;
    if (identicalSinceMs !== null) return identicalSinceMs;
    const displayed = state.lastPictureAt === null ? null : this.time.at(state.lastPictureAt);
    return displayed === null ? null : Math.min(displayed, shown?.capture?.utcMs ?? displayed);
  }

  /** Milliseconds since that moment; null without a picture. */
  private gapMs(now = performance.now()): number | null {
    const { lastPictureAt } = this.channel.state;
    const [pictureMs, serverMs] = [this.lastPictureUtcMs, this.time.at(now)];
    if (lastPictureAt === null) return null;
    return pictureMs === null || serverMs === null ? now - lastPictureAt : serverMs - pictureMs;
  }

  /** Texts that change with time and state; several times a second. */
  refresh(language: Language): void {
    const { channel } = this;
    setText(this.name, nameBesideMark(channel.feed));
    this.name.title = `${channel.feed.aircraft_name} · ${channel.feed.name}`;
    setAttribute(channel.video, "aria-label", translate(language, "video", { name: channel.feed.name }));
    this.training.show(language, channel.feed.training);
    this.banner.show(language, channel.feed.training);
    this.badge.show(channel, language, this.lastPictureUtcMs);
    this.unsecured.show(language, { picture: channel.feed.unsecured, telemetry: null });
    this.quality.show(language, channel.chosen, channel.feed);
    this.grey(language);
    this.showFindings(language);
    if (!channel.isMoving || this.past) this.refreshHud(language);
    else if (performance.now() - this.pointedAt > CROSS_MS) this.target.hidden = true;
  }

  /** The head-up display of the picture that is now on the screen. */
  refreshHud(language: Language): void {
    if (this.hud.element.offsetParent === null) return; // switched off
    const { channel, past } = this;
    if (past) {
      const { sample, momentMs, hasPicture } = past;
      const withHorizon = hasPicture && sample !== null && !this.isSmall;
      return this.hud.show({ language, sample, referenceMs: momentMs, withHorizon, estimated: false });
    }
    this.hud.show({
      language,
      sample: channel.sample,
      referenceMs: channel.referenceMs(),
      withHorizon: channel.isMoving && channel.shown?.sample !== null && !this.isSmall,
      estimated: channel.isMoving && (channel.shown?.estimated ?? false),
    });
  }

  /** A small second picture keeps only what fits beside it. */
  private get isSmall(): boolean {
    return !this.element.classList.contains("main") && this.hud.isSmall;
  }

  /** The shown picture as it is, for a photo; null before the first. */
  picture(): HTMLVideoElement | HTMLCanvasElement | null {
    if (this.past) return this.past.hasPicture ? this.past.video : null;
    if (!this.still.hidden) return this.still;
    return this.channel.video.videoWidth > 0 ? this.channel.video : null;
  }

  /** What a photo of it is to be named after. */
  photoFacts(language: Language): PhotoFacts {
    const { feed, shown } = this.channel;
    const [utcMs, sample] = this.past
      ? [this.past.momentMs, this.past.sample]
      : [shown?.capture?.utcMs ?? this.lastPictureUtcMs, shown?.sample ?? null];
    const position = hasPosition(sample) ? sample : null;
    return { feedId: feed.id, utcMs, position, training: feed.training && language };
  }

  /** The point of the displayed picture under the pointer; null beside it. */
  pointAt(event: MouseEvent): Point | null {
    const { left, top } = this.stage.getBoundingClientRect();
    const { box, shape } = this.sizes();
    return this.channel.shown && pointAt(box, shape, event.clientX - left, event.clientY - top);
  }

  /** Which picture is displayed. Throws Refused where that cannot be said. */
  moment(): ReturnType<typeof momentOf> {
    const { shown, feed, identicalSinceMs } = this.channel;
    const none = { rtpTimestamp: null, capture: null };
    return momentOf(shown ?? none, feed.air_link_ms, identicalSinceMs !== null);
  }

  /** Show which point is meant; null takes the cross away, and so does the picture that moves on below it. */
  cross(point: Point | null): void {
    this.pointed = point;
    this.pointedAt = performance.now();
    this.target.hidden = point === null;
    this.arrange();
  }

  /** Of the stage and of the picture on it; 0 without one. */
  private sizes(): { box: Size; shape: Size } {
    const video = this.past?.video.videoWidth ? this.past.video : this.channel.video;
    return {
      box: { width: this.stage.clientWidth, height: this.stage.clientHeight },
      shape: { width: video.videoWidth, height: video.videoHeight },
    };
  }

  /** While the recording is shown, what is wrong with the live picture stands at the timeline. */
  private greyPast(language: Language, { gap, hasPicture, momentMs }: Past): void {
    const sentence = gap
      ? translate(language, gap.withheld ? "rewind.withheld" : "rewind.gap", {
          from: timeOfDay(gap.fromMs),
          to: timeOfDay(gap.toMs),
        })
      : translate(language, "rewind.seeking", { time: timeOfDay(momentMs) });
    setAttribute(this.element, "data-past", gap ? "gap" : hasPicture ? "shown" : "seeking");
    this.notice.hidden = hasPicture;
    setText(this.head, sentence);
    setText(this.why, "");
  }

  private grey(language: Language): void {
    const { channel } = this;
    setAttribute(this.element, "data-state", channel.state.name);
    if (this.past) return this.greyPast(language, this.past);
    const sentence = noPicture(language, {
      state: channel.state.name,
      gapMs: this.gapMs(),
      serverReachable: channel.serverReachable,
      source: channel.feed.state,
      renditions: channel.feed.renditions,
      chosen: channel.chosen,
      refusal: channel.refusal,
      identical: channel.identicalSinceMs !== null,
    });
    this.notice.hidden = sentence === null;
    if (sentence === null) {
      this.still.hidden = true;
      return;
    }
    setText(this.head, sentence.head);
    setText(this.why, sentence.why);
    this.keepStill();
  }

  /** One line above the picture, never on it. */
  private showFindings(language: Language): void {
    const { channel } = this;
    const { feed, chosen } = channel;
    const wrong = trouble(language, feed, chosen);
    const lines =
      channel.isMoving && channel.serverReachable && !this.past
        ? [...(wrong === null ? [] : [wrong]), ...findings(language, feed.health)]
        : [];
    this.finding.hidden = lines.length === 0;
    setText(this.findingText, lines.join(" "));
  }

  /** The last picture stays visible, greyed, also while the connection is made anew behind it. */
  private keepStill(): void {
    const { video } = this.channel;
    if (!this.still.hidden || video.videoWidth === 0 || this.channel.state.lastPictureAt === null) return;
    this.still.width = video.videoWidth;
    this.still.height = video.videoHeight;
    this.still.getContext("2d")?.drawImage(video, 0, 0);
    this.still.hidden = false;
  }

  private arrange(): void {
    const { box, shape } = this.sizes();
    if (this.pointed) {
      const [x, y] = placeOf(box, shape, this.pointed);
      this.target.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    }
    layOver(box, shape, this.hud, this.notice);
  }
}
