/** What plays, steps and hastens a recorded flight, as buttons. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { number } from "../format";
import { icon, type IconName } from "../icons";
import type { RecordedFeed } from "../flights/api";
import { SPEEDS, type Deck } from "./deck";

export const LEAP_MS = 10_000;

export interface ControlActions {
  toggle(what: "hud" | "map"): void;
  full(): void;
  help(): void;
}

export class Controls {
  private readonly named: [HTMLElement, Key, seen: string][] = [];
  private readonly play = this.button("player.play", "play", () => this.playOrPause());
  private readonly speed = h("select", { class: "player-speed" });
  private readonly cameras = h("div", { class: "player-cameras", role: "group" });
  readonly element: HTMLElement;
  private shape: IconName = "play";

  constructor(
    private readonly deck: Deck,
    feeds: readonly RecordedFeed[],
    does: ControlActions,
  ) {
    const leap = (ms: number) => () => deck.seek((deck.momentMs ?? 0) + ms);
    const text = (key: Key, words: string, act: () => void): HTMLElement => {
      const isSpoken = /\d/.test(words);
      const button = this.button(key, null, act, isSpoken ? `${words}: ` : "");
      button.append(words);
      return button;
    };
    this.speed.append(...SPEEDS.map((speed) => h("option", { value: speed })));
    this.speed.addEventListener("change", () => deck.setSpeed(Number(this.speed.value)));
    this.element = h(
      "section",
      { class: "player-controls" },
      h(
        "div",
        { class: "player-steps" },
        text("player.back", "−10 s", leap(-LEAP_MS)),
        text("player.before", "‹", () => deck.step(-1)),
        this.play,
        text("player.next", "›", () => deck.step(1)),
        text("player.forward", "+10 s", leap(LEAP_MS)),
        this.speed,
      ),
      this.cameras,
      h(
        "div",
        { class: "player-tools" },
        this.button("do.hud", "hud", () => does.toggle("hud")),
        this.button("map", "map", () => does.toggle("map")),
        this.button("do.full", "full", () => does.full()),
        this.button("do.help", "help", () => does.help()),
      ),
    );
    this.cameras.hidden = feeds.length < 2;
    this.cameras.append(...feeds.map((feed) => this.chooser(feed)));
  }

  show(language: Language): void {
    const { deck } = this;
    for (const [element, key, seen] of this.named) name(element, seen + translate(language, key));
    setAttribute(this.element, "aria-label", translate(language, "player.controls"));
    setAttribute(this.cameras, "aria-label", translate(language, "player.cameras"));
    name(this.speed, translate(language, "player.speed"));
    const digits = (speed: number): number => (speed < 0.5 ? 2 : speed < 1 ? 1 : 0);
    SPEEDS.forEach((speed, i) => {
      const option = this.speed.options[i];
      if (option) setText(option, `${number(language, speed, digits(speed))}×`);
    });
    this.speed.value = String(deck.speed);
    const shape = deck.paused ? "play" : "pause";
    if (shape !== this.shape) this.play.replaceChildren(icon(shape));
    this.shape = shape;
    name(this.play, translate(language, deck.paused ? "player.play" : "player.pause"));
    for (const chooser of this.cameras.children)
      setAttribute(chooser, "aria-pressed", String(chooser.getAttribute("data-choose") === deck.main));
  }

  playOrPause(): void {
    if (this.deck.paused) this.deck.play();
    else this.deck.pause();
  }

  hasten(direction: 1 | -1): void {
    const at = SPEEDS.findIndex((speed) => speed === this.deck.speed);
    const speed = SPEEDS[at + direction];
    if (speed !== undefined) this.deck.setSpeed(speed);
  }

  private chooser(feed: RecordedFeed): HTMLElement {
    const choose = (): void => this.deck.choose(feed.id);
    const button = h("button", { type: "button", class: "player-camera", onclick: choose }, feed.name);
    setAttribute(button, "data-choose", feed.id);
    return button;
  }

  /** `seen`: what its name begins with, as it is on it (WCAG 2.5.3). */
  private button(key: Key, shape: IconName | null, act: () => void, seen = ""): HTMLButtonElement {
    const kind = key.replace(".", "-");
    const button = h("button", { type: "button", class: `player-button ${kind}`, onclick: act });
    if (shape) button.append(icon(shape));
    // A button that was tapped does not take the space bar away from the picture.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    this.named.push([button, key, seen]);
    return button;
  }
}

function name(element: HTMLElement, text: string): void {
  setAttribute(element, "aria-label", text);
  setAttribute(element, "title", text);
}
