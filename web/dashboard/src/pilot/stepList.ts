/** A feed's steps: one line of ticks while all is green, one row each with its sentence otherwise. */

import { translate, type Key, type Language } from "../catalogue";
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

export interface StepsView {
  language: Language;
  compact: boolean;
  serverReachable: boolean; // else no step is known
  link: PilotLink | null; // of its aircraft's telemetry
  said: Key; // what the card says already is to be done
}

export class StepList {
  readonly element = h("ol", { class: "steps" });
  private drawn = "";

  show(feed: PilotFeed, view: StepsView): void {
    const { language, compact, link, said } = view;
    const steps = view.serverReachable ? feed.steps : feed.steps.map(unknown);
    this.element.classList.toggle("compact", compact);
    const drawn = JSON.stringify([language, compact, link?.since_ms, said, feed.keys === null, steps]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.element.replaceChildren(...steps.map((step) => row(step, feed, view)));
  }
}

const unknown = ({ step }: Step): Step => ({ step, state: "waiting", reason: "" });

function row(step: Step, feed: PilotFeed, { language, compact, link, said }: StepsView): HTMLElement {
  const name = stepName(language, step, feed);
  const sentence = stepSentence(language, step, link);
  const advice = stepAdvice(step);
  const element = h(
    "li",
    { class: "step", "data-step": step.step, "data-state": step.state },
    icon(SYMBOLS[step.state]),
    h("span", { class: "step-name" }, name),
  );
  setAttribute(element, "data-remark", hasRemark(step) ? "true" : null);
  if (compact) setAttribute(element, "title", `${name}: ${sentence}`);
  else element.append(h("span", { class: "step-text" }, sentence));
  if (!compact && advice !== null && advice !== said) element.append(adviceLine(language, advice));
  return element;
}

const adviceLine = (language: Language, advice: Key): HTMLElement =>
  h("span", { class: "step-advice" }, `${translate(language, "pilot.next")} ${translate(language, advice)}`);
