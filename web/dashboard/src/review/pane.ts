/** One camera of the shown moment: its picture with the head-up display, or the sentence that says why not. */

import type { Sample } from "../api";
import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { timeOfDay } from "../format";
import { Hud, layOver } from "../hud";
import type { RecordedFeed } from "../flights/api";
import type { Camera } from "./camera";

/** What belongs to all pictures of the page. */
export interface Shown {
  language: Language;
  momentMs: number | null;
  sample: Sample | null;
  main: boolean;
}

export class ReviewPane {
  private readonly hud = new Hud();
  private readonly head = h("p", { class: "notice-head", role: "status" });
  private readonly notice = h("div", { class: "notice", hidden: true }, this.head);
  private readonly name = h("span", { class: "pane-name" });
  private readonly note = h("span", { class: "pane-note" });
  private readonly stage: HTMLElement;
  readonly element: HTMLElement;
  private video: HTMLVideoElement;

  constructor(
    readonly camera: Camera,
    private readonly feed: RecordedFeed,
    onTap: () => void,
  ) {
    this.video = camera.video;
    this.stage = h("div", { class: "stage", onclick: onTap }, this.video, this.hud.element, this.notice);
    this.element = h(
      "section",
      { class: "pane", "data-feed": feed.id },
      h("div", { class: "pane-title" }, this.name, this.note),
      this.stage,
    );
    new ResizeObserver(() => this.arrange()).observe(this.stage);
    this.video.addEventListener("resize", () => this.arrange());
  }

  show(shown: Shown): void {
    const { language, momentMs, main } = shown;
    const { camera } = this;
    this.takeVideo();
    this.element.classList.toggle("main", main);
    setText(this.name, this.feed.name);
    setText(this.note, camera.rendition === "web" ? translate(language, "player.converted") : "");
    setAttribute(this.video, "aria-label", translate(language, "video", { name: this.feed.name }));
    setAttribute(this.element, "data-past", camera.gap ? "gap" : camera.hasPicture ? "shown" : "seeking");
    const sentence = camera.hasPicture ? null : this.sentence(language, momentMs);
    this.notice.hidden = sentence === null;
    setText(this.head, sentence ?? "");
    this.showHud(shown);
  }

  /** The picture on the screen as it is; null where it is not that of the moment. */
  get picture(): HTMLVideoElement | null {
    return this.camera.hasPicture ? this.video : null;
  }

  private showHud({ language, momentMs, sample, main }: Shown): void {
    if (this.hud.element.offsetParent === null) return; // switched off
    const fits = main || !this.hud.isSmall;
    const withHorizon = this.camera.hasPicture && sample !== null && fits;
    const referenceMs = this.camera.displayedMs ?? momentMs;
    this.hud.show({ language, sample, referenceMs, withHorizon, estimated: false });
  }

  private sentence(language: Language, momentMs: number | null): string {
    const { trouble, gap, reel, span, isKnown } = this.camera;
    if (trouble) return translate(language, `player.trouble.${trouble}`);
    if (isKnown && span === null)
      return translate(language, reel.timeline.isWithheld ? "player.withheld" : "player.no_pictures");
    if (reel.isUnreachable) return translate(language, "player.unreachable");
    if (gap && gap.fromMs === -Infinity && Number.isFinite(gap.toMs))
      return translate(language, "player.before_first", { time: timeOfDay(gap.toMs) });
    if (gap && gap.toMs === Infinity && Number.isFinite(gap.fromMs))
      return translate(language, "player.after_last", { time: timeOfDay(gap.fromMs) });
    if (gap && Number.isFinite(gap.fromMs))
      return translate(language, gap.withheld ? "rewind.withheld" : "rewind.gap", {
        from: timeOfDay(gap.fromMs),
        to: timeOfDay(gap.toMs),
      });
    if (momentMs === null) return translate(language, "player.loading");
    return translate(language, "rewind.seeking", { time: timeOfDay(momentMs) });
  }

  /** A camera whose pictures are converted has another video. */
  private takeVideo(): void {
    const { video } = this.camera;
    if (video === this.video) return;
    this.video.remove();
    this.video = video;
    video.addEventListener("resize", () => this.arrange());
    this.stage.prepend(video);
  }

  private arrange(): void {
    const box = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const shape = { width: this.video.videoWidth, height: this.video.videoHeight };
    layOver(box, shape, this.hud, this.notice);
  }
}
