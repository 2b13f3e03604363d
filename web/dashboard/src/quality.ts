/**
 * How large the picture is that this viewer is sent, and the choice to fix that: a list that stands outside the
 * picture. Else the server decides by what the viewer's way carries.
 What is done to the picture on
 * its way stands below, or as a line in the list where there is less room.
 */

import type { Feed, RenditionChosen, Rendition } from "./api";
import { translate, type Key, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { sentence, treatment } from "./treatment";

export type Fixed = "full" | "low";

const VALUES = ["", "full", "low"] as const;

/** What the server is asked for: null lets it decide; undefined where it offers no such thing. */
export function wish(fixed: Fixed | null, { choices }: RenditionChosen): Rendition | null | undefined {
  if (fixed === null) return null;
  return choices.find((one) => (one === "low") === (fixed === "low"));
}

/** Which entry of the list holds, and which words say what is on the screen. */
export function quality({ rendition, target, pinned }: RenditionChosen): {
  value: "" | Fixed;
  now: Key;
  moving: boolean;
} {
  const size = (one: Rendition): Fixed => (one === "low" ? "low" : "full");
  return {
    value: pinned === null ? "" : size(pinned),
    now: `quality.${size(rendition)}`,
    moving: rendition !== target,
  };
}

export class Quality {
  private readonly options = VALUES.map((value) => h("option", { value }));
  private readonly told = h("option", { disabled: true }); // no choice: what is done to the picture
  private tip: string | null = null;
  private readonly list: HTMLSelectElement;
  private readonly short = h("span", { class: "quality-short", "aria-hidden": "true" }); // where room is scarce
  private readonly how = h("span", { class: "quality-how" });
  private readonly what = h("span");
  private readonly cost = h("span", { class: "quality-cost" });
  private readonly made = h("span", { class: "quality-made" }, this.how, this.what, this.cost);
  readonly element: HTMLElement;

  constructor(fix: (fixed: Fixed | null) => void) {
    const chosen = (): void => fix((this.list.value || null) as Fixed | null);
    this.list = h("select", { onchange: chosen }, ...this.options, this.told);
    this.element = h("label", { class: "quality", hidden: true }, this.short, this.list, this.made);
  }

  /** null: the server has not said yet. */
  show(language: Language, chosen: RenditionChosen | null, feed: Feed | null): void {
    this.element.hidden = chosen === null;
    if (chosen === null) return;
    if (feed) this.showTreatment(language, chosen, feed);
    const { value, now, moving } = quality(chosen);
    const size = (key: Key): string => translate(language, key);
    const still = moving ? " …" : "";
    const fixed = (one: Fixed, name: Key): string =>
      translate(language, "quality.fixed", { size: size(name) }) + (value === one ? still : "");
    const texts = [
      value === ""
        ? translate(language, "quality.auto_now", { now: size(now) + still })
        : size("quality.auto"),
      fixed("full", "quality.full"),
      fixed("low", "quality.low"),
    ];
    this.options.forEach((option, index) => setText(option, texts[index] ?? ""));
    const short = value === "" ? "quality.short_auto" : "quality.short_fixed";
    setText(this.short, translate(language, short, { size: size(now) }) + still);
    if (this.list.value !== value) this.list.value = value;
    setAttribute(this.list, "aria-label", translate(language, "quality"));
    setAttribute(this.list, "title", this.tip ?? translate(language, "quality"));
    setAttribute(this.element, "data-low", String(now === "quality.low"));
  }

  private showTreatment(language: Language, { rendition }: RenditionChosen, feed: Feed): void {
    const done = treatment(language, feed, rendition);
    this.told.hidden = this.made.hidden = done === null;
    setAttribute(this.element, "data-made", String(done !== null));
    this.tip = done && sentence(done);
    if (!done) return;
    setText(this.told, sentence(done));
    setText(this.how, `${done.how}: `);
    setText(this.what, done.what);
    setText(this.cost, done.cost && `, ${done.cost}`);
  }
}
