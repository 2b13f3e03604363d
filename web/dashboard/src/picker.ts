/** The bottom bar: feeds by aircraft with their state, and the page's actions. */

import type { Feed } from "./api";
import { translate, type Key, type Language } from "./catalogue";
import type { Feeds } from "./choice";
import { h, setAttribute, setText } from "./dom";
import { icon, type IconName } from "./icons";
import type { PictureStateName } from "./pictureState";
import { nameBesideMark, TrainingTag } from "./trainingMark";

export interface PickerActions {
  choose(id: string): void;
  toggleSecond(id: string): void;
  swap(): void;
  flip(): void;
  full(): void;
  photo(): void;
  map(): void;
}

const ACTIONS: readonly (readonly [
  act: keyof PickerActions & ("swap" | "flip" | "map" | "photo" | "full"),
  icon: IconName,
  text: Key,
  key: string,
])[] = [
  ["swap", "swap", "do.swap", "S"],
  ["flip", "flip", "do.swap_map", ""],
  ["map", "map", "map", "M"],
  ["photo", "photo", "do.photo", "P"],
  ["full", "full", "do.full", "F"],
];

interface Entry {
  button: HTMLButtonElement;
  second: HTMLButtonElement;
  symbol: HTMLElement;
  name: HTMLElement;
  word: HTMLElement;
  training: TrainingTag;
  shape: IconName | null;
}

export interface PickerView {
  language: Language;
  feeds: readonly Feed[];
  chosen: Feeds;
  mapOn: boolean;
  /** State of a picture that is open on this page; null: only its source's state is known. */
  pictureState(id: string): PictureStateName | null;
}

export class Picker {
  private readonly list = h("div", { class: "picker-feeds", role: "group" });
  private readonly actions = new Map<string, { button: HTMLButtonElement; text: HTMLElement }>();
  readonly element: HTMLElement;
  private entries = new Map<string, Entry>();
  private drawn = "";

  /** `more`: further buttons, whoever draws them. */
  constructor(
    private readonly does: PickerActions,
    ...more: HTMLElement[]
  ) {
    const buttons = ACTIONS.map(([act, shape, , key]) => {
      const text = h("span", { class: "action-text" });
      const button = h(
        "button",
        { type: "button", class: `action action-${act}`, onclick: () => does[act]() },
        icon(shape),
        text,
      );
      if (key) button.setAttribute("aria-keyshortcuts", key);
      this.actions.set(act, { button, text });
      return button;
    });
    this.element = h(
      "nav",
      { class: "picker" },
      this.list,
      h("div", { class: "picker-actions" }, ...more, ...buttons),
    );
  }

  show(view: PickerView): void {
    const wanted = view.feeds.map((feed) => `${feed.id} ${feed.aircraft_id}`).join();
    if (wanted !== this.drawn) this.build(view.feeds);
    this.drawn = wanted;
    setAttribute(this.list, "aria-label", translate(view.language, "feeds"));
    for (const feed of view.feeds) this.showEntry(feed, view);
    this.showActions(view);
  }

  private build(feeds: readonly Feed[]): void {
    this.entries.clear();
    const groups = new Map<string, HTMLElement>();
    for (const feed of feeds) {
      const group =
        groups.get(feed.aircraft_id) ??
        h("div", { class: "picker-aircraft" }, h("span", { class: "picker-name" }, feed.aircraft_name));
      groups.set(feed.aircraft_id, group);
      group.append(this.entry(feed));
    }
    this.list.classList.toggle("single", groups.size === 1);
    this.element.classList.toggle("many", feeds.length > 3); // feeds before words
    this.element.classList.toggle("several", feeds.length === 3);
    this.list.replaceChildren(...groups.values());
  }

  private entry(feed: Feed): HTMLElement {
    const [symbol, name, word] = ["feed-symbol", "feed-name", "feed-word"].map((kind) =>
      h("span", { class: kind }),
    );
    if (!symbol || !name || !word) throw new Error("unreachable");
    const training = new TrainingTag();
    const choose = (): void => this.does.choose(feed.id);
    const beside = (): void => this.does.toggleSecond(feed.id);
    const button = h(
      "button",
      { type: "button", class: "feed", onclick: choose },
      symbol,
      h("span", { class: "feed-text" }, name, word),
      training.element,
    );
    const second = h("button", { type: "button", class: "feed-second", onclick: beside }, icon("second"));
    this.entries.set(feed.id, { button, second, symbol, name, word, training, shape: null });
    return h("div", { class: "feed-pair", "data-feed": feed.id }, button, second);
  }

  private showEntry(feed: Feed, { language, chosen, pictureState }: PickerView): void {
    const entry = this.entries.get(feed.id);
    if (!entry) return;
    const state = pictureState(feed.id);
    const [shape, text, mood] = state ? ([state, `state.${state}`, state] as const) : sourceLook(feed);
    if (shape !== entry.shape) entry.symbol.replaceChildren(icon(shape));
    entry.shape = shape;
    setAttribute(entry.button, "data-state", mood);
    setText(entry.name, nameBesideMark(feed));
    setText(entry.word, translate(language, text));
    entry.training.show(language, feed.training);
    const isMain = String(chosen.main === feed.id);
    if (isMain === "true" && entry.button.ariaPressed !== isMain)
      entry.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    setAttribute(entry.button, "aria-pressed", isMain);
    setAttribute(
      entry.button,
      "aria-label",
      [
        feed.training && translate(language, "training"),
        translate(language, "feed.show", { name: `${feed.aircraft_name} ${feed.name}` }),
        translate(language, text),
      ]
        .filter(Boolean)
        .join(": "),
    );
    const isSecond = chosen.second === feed.id;
    const label = translate(language, isSecond ? "do.second_off" : "do.second");
    entry.second.hidden = chosen.main === feed.id;
    setAttribute(entry.second, "aria-pressed", String(isSecond));
    setAttribute(entry.second, "aria-label", `${feed.name}: ${label}`);
    setAttribute(entry.second, "title", label);
  }

  private showActions({ language, chosen, mapOn }: PickerView): void {
    for (const [act, , key, shortcut] of ACTIONS) {
      const action = this.actions.get(act);
      if (!action) continue;
      const text = translate(language, key);
      setText(action.text, text);
      setAttribute(action.button, "aria-label", text);
      setAttribute(action.button, "title", shortcut ? `${text} (${shortcut})` : text);
      if (act === "swap") action.button.hidden = chosen.second === null;
      if (act === "flip") action.button.hidden = !mapOn;
      if (act === "map") setAttribute(action.button, "aria-pressed", String(mapOn));
    }
  }
}

function sourceLook({ state: { status } }: Feed): readonly [IconName, Key, string] {
  const shape = ({ connecting: "waiting", live: "sending", stalled: "delayed", lost: "lost" } as const)[
    status
  ];
  return [shape, `source.${status}`, status];
}
