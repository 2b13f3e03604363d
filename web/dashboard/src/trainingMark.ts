/** The marks of an exercise: nobody may take a recording that is played for the real thing. */

import type { Feed } from "./api";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";

/** The word in its hatched frame, wherever a name stands. */
export class TrainingTag {
  readonly element = h("strong", { class: "training-tag", hidden: true });

  show(language: Language, training: boolean): void {
    this.element.hidden = !training;
    if (!training) return;
    setText(this.element, translate(language, "training"));
    setAttribute(this.element, "title", translate(language, "training.live"));
  }
}

export function trainingTag(language: Language): HTMLElement {
  const tag = new TrainingTag();
  tag.show(language, true);
  return tag.element;
}

/** A feed's name where the mark stands beside it: the service writes the word before it, for whoever has no mark. */
export const nameBesideMark = ({ name, training }: Pick<Feed, "name" | "training">): string =>
  training ? name.replace(/^ÜBUNG · /, "") : name;

/** Across a picture: outlined, so that the picture is seen through it. */
export class TrainingBanner {
  private readonly word = h("span");
  readonly element = h("div", { class: "training-over", hidden: true }, this.word);

  show(language: Language, training: boolean): void {
    this.element.hidden = !training;
    const word = translate(language, "training");
    setText(this.word, word);
    setAttribute(this.word, "data-word", word); // the outline behind it
    this.element.style.setProperty("--letters", String(word.length));
  }
}

/** The same on a picture that is saved: it leaves the page without its frame. */
export function stampTraining(canvas: HTMLCanvasElement, language: Language): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const word = translate(language, "training");
  const { width, height } = canvas;
  context.translate(width / 2, height / 2);
  context.rotate(-Math.PI / 10);
  context.font = `800 ${Math.round((0.9 * width) / word.length)}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [colour, share] of [
    ["rgb(0 0 0 / 55%)", 1 / 110],
    ["rgb(255 255 255 / 85%)", 1 / 300],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width * share;
    context.strokeText(word, 0, 0);
  }
}

/** Of the live page: an exercise is one in the browser's tab, too. */
export function pageTitle(language: Language, house: string, feed: Feed | null): string {
  const name = house || "Lagebild";
  return feed?.training ? `${translate(language, "training")} · ${name}` : name;
}
