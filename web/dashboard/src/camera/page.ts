/** The camera page: this device's camera is filmed with, and its own pictures' state is told. */

import type { AlarmState } from "../alarms/board";
import { InstallationAlarms } from "../alarms/installation";
import type { Feed } from "../api";
import { translate, type Key } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import { PageBar } from "../pageBar";
import type { Verdict } from "../pilot/arrival";
import { keyIn, problemOf, status } from "./status";
import { WhipClient } from "./whip";

type Facing = "environment" | "user";

const SYMBOLS = { arrives: "arrives", missing: "lost", unknown: "waiting" } as const;
const button = (onclick: () => void, more = ""): HTMLButtonElement =>
  h("button", { type: "button", class: `button ${more}`, onclick });

export class CameraPage {
  private readonly bar = new PageBar(() => this.show());
  private readonly preview = h("video", { class: "preview", muted: true, autoplay: true, playsinline: true });
  private readonly symbol = h("span", { class: "verdict-symbol" });
  private readonly word = h("span", { class: "verdict-word", role: "status" });
  private readonly why = h("p", { class: "verdict-figures" });
  private readonly verdict = h("div", { class: "verdict" }, this.symbol, this.word, this.why);
  private readonly start = button(() => void this.film(), "strong");
  private readonly stop = button(() => this.end());
  private readonly turn = button(() => void this.turnAround());
  private readonly otherKey = button(() => this.setKey(""));
  private readonly silent = h("p", { class: "camera-silent" });
  private readonly tools = h(
    "div",
    { class: "buttons" },
    this.start,
    this.stop,
    this.turn,
    this.otherKey,
    this.silent,
  );
  private readonly input = h("input", {
    class: "key-input",
    name: "key",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
  });
  private readonly take = h("button", { class: "button strong" });
  private readonly ask = h("p");
  private readonly form = h(
    "form",
    { class: "key-form", onsubmit: (event: Event) => this.typed(event) },
    this.ask,
    this.input,
    this.take,
  );
  private readonly alarms = new InstallationAlarms();
  private readonly obstacle = h("p", { class: "obstacle", role: "alert" });
  private facing: Facing = "environment"; // what a pilot films with; a laptop has only the other
  private stream: MediaStream | null = null;
  private client: WhipClient | null = null;
  private problem: Key | null = null;
  private feed: Feed | null = null;
  private missing = false; // there is no such feed
  private shown: Verdict | null = null;
  private attempt = 0; // at opening a camera

  constructor(
    root: HTMLElement,
    private readonly feedId: string,
  ) {
    this.preview.muted = true; // the attribute counts only in HTML that was parsed
    root.replaceChildren(
      this.bar.element,
      h(
        "main",
        { class: "camera" },
        this.alarms.element,
        this.preview,
        this.obstacle,
        this.form,
        this.verdict,
        this.tools,
      ),
    );
    window.addEventListener("hashchange", () => this.keyChanged()); // scanned once more
    window.addEventListener("pagehide", () => this.end());
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    this.show();
  }

  get filming(): boolean {
    return this.client !== null;
  }

  /** What the server says of the feed; null: it does not answer, undefined: it has no such feed. */
  takeNews(feed: Feed | null | undefined, alarms: readonly AlarmState[] | null): void {
    this.alarms.take(alarms);
    this.missing = feed === undefined;
    this.feed = feed ?? null;
    this.show();
  }

  private async film(): Promise<void> {
    const track = await this.open();
    const url = `/live/${encodeURIComponent(this.feedId)}/whip`;
    if (track) this.client = new WhipClient(url, keyIn(location.hash), track, () => this.show());
    void this.stayAwake();
    this.show();
  }

  private end(): void {
    this.client?.close();
    this.client = null;
    this.problem = null;
    this.letGo();
    this.show();
  }

  private turnAround(): Promise<void> {
    this.facing = this.facing === "environment" ? "user" : "environment";
    return this.reopen();
  }

  /** Into the session that there is. */
  private async reopen(): Promise<void> {
    const track = await this.open();
    if (track) await this.client?.replace(track);
    else if (this.problem) {
      this.client?.close();
      this.client = null;
    }
    this.show();
  }

  /** The camera's picture, no sound. Phones open one camera at a time: the other is let go of first. */
  private async open(): Promise<MediaStreamTrack | null> {
    this.letGo();
    const attempt = this.attempt;
    const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    const video = { ...size, facingMode: { ideal: this.facing } };
    this.problem = null;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
      if (attempt !== this.attempt) {
        stop(stream); // "stop" was tapped meanwhile
        return null;
      }
      this.stream = this.preview.srcObject = stream;
    } catch (error) {
      if (attempt === this.attempt) this.problem = problemOf(error);
    }
    const track = this.stream?.getVideoTracks()[0] ?? null;
    if (track) track.onended = () => void this.reopen(); // another app has taken it
    return track;
  }

  private letGo(): void {
    this.attempt += 1;
    if (this.stream) stop(this.stream);
    this.stream = this.preview.srcObject = null;
  }

  /** A screen that goes dark ends the picture on most phones. */
  private async stayAwake(): Promise<void> {
    if (this.filming && !document.hidden) await navigator.wakeLock?.request("screen").catch(() => undefined);
  }

  private typed(event: Event): void {
    event.preventDefault();
    this.setKey(this.input.value.trim());
    this.input.value = "";
  }

  private setKey(key: string): void {
    history.replaceState(null, "", key ? `#key=${encodeURIComponent(key)}` : location.pathname);
    this.keyChanged();
  }

  private keyChanged(): void {
    this.end();
    if (!keyIn(location.hash)) this.input.focus();
  }

  private show(): void {
    const { language } = this.bar.taste;
    this.alarms.show(language);
    const say = (key: Key, values?: Record<string, string>): string => translate(language, key, values);
    const secure = isSecureContext && Boolean(navigator.mediaDevices);
    const keyed = keyIn(location.hash) !== "";
    const possible = secure && !this.missing;
    const { filming, client } = this;
    this.bar.show(say("camera.title", { name: this.feed?.name ?? this.feedId }));
    this.obstacle.hidden = possible;
    setText(this.obstacle, say(this.missing ? "feed.unknown" : "camera.insecure", { id: this.feedId }));
    this.form.hidden = !possible || keyed;
    this.preview.hidden = this.verdict.hidden = this.tools.hidden = !possible || !keyed;
    this.preview.classList.toggle("mirrored", this.facing === "user");
    this.start.hidden = filming;
    this.stop.hidden = this.turn.hidden = !filming;
    this.otherKey.hidden = filming && client?.link !== "refused";
    setText(this.start, say("camera.start"));
    setText(this.stop, say("camera.stop"));
    setText(this.turn, say("camera.turn"));
    setText(this.otherKey, say("camera.key_other"));
    setText(this.silent, say("camera.silent"));
    setText(this.ask, say("camera.key_ask"));
    setText(this.take, say("camera.key_take"));
    setAttribute(this.input, "aria-label", say("camera.key"));
    this.showStatus(say);
  }

  private showStatus(say: (key: Key) => string): void {
    const { link = null, refusal = "" } = this.client ?? {};
    const found = status({ link, refusal, problem: this.problem, state: this.feed?.state ?? null });
    if (found.verdict !== this.shown) this.symbol.replaceChildren(icon(SYMBOLS[found.verdict]));
    this.shown = found.verdict;
    setAttribute(this.verdict, "data-verdict", found.verdict);
    setText(this.word, say(found.word));
    setText(this.why, say(found.why));
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
