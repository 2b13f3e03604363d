/** A feed's steps: one line of ticks while all is green, one row each with its sentence otherwise. */

import { translate, type Language } from "../catalogue";
import { h, setAttribute } from "../dom";
import { icon, type IconName } from "../icons";
import type { PilotFeed, PilotLink, Step } from "./api";
import { hasRemark, stepAdvice, stepName, stepSentence } from "./steps";

const SYMBOLS: Record<Step["state"], IconName> = {
  ok: "arrives",
  bad: "lost",
  waiting: "waiting",
  none: "minus",
};

export class StepList {
  readonly element = h("ol", { class: "steps" });
  private drawn = "";

  /** `known` false: the server does not answer, so no step is. */
  show(language: Language, feed: PilotFeed, link: PilotLink | null, compact: boolean, known: boolean): void {
    const steps = known
      ? feed.steps
      : feed.steps.map(({ step }): Step => ({ step, state: "waiting", reason: "" }));
    this.element.classList.toggle("compact", compact);
    const drawn = JSON.stringify([language, steps, feed.keys === null, link?.since_ms, compact]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.element.replaceChildren(...steps.map((step) => row(language, step, feed, link, compact)));
  }
}

function row(
  language: Language,
  step: Step,
  feed: PilotFeed,
  link: PilotLink | null,
  compact: boolean,
): HTMLElement {
  const name = stepName(language, step, feed);
  const sentence = stepSentence(language, step, link);
  const advice = stepAdvice(step);
  const element = h(
    "li",
    {
      class: "step",
      "data-step": step.step,
      "data-state": step.state,
      title: compact && `${name}: ${sentence}`,
    },
    icon(SYMBOLS[step.state]),
    h("span", { class: "step-name" }, name),
    !compact && h("span", { class: "step-text" }, sentence),
    !compact &&
      advice !== null &&
      h(
        "span",
        { class: "step-advice" },
        `${translate(language, "pilot.next")} ${translate(language, advice)}`,
      ),
  );
  setAttribute(element, "data-remark", hasRemark(step) ? "true" : null);
  return element;
}
