/** The steps of a feed in words: what is well, what is not, and what is done about it. Pure. */

import { isKey, translate, type Key, type Language } from "../catalogue";
import { linkSentence } from "../sentences";
import { ADVICE, adviceOn, linkAdvice } from "./advice";
import type { PilotFeed, PilotLink, Step } from "./api";

/** Where the words of a step's reason stand: the first of these that there is. */
const PLACES: Record<Step["step"], readonly string[]> = {
  reachable: ["reason"],
  key: ["reason", "pilot"],
  picture: ["reason", "finding"],
  codec: ["reason", "note"],
  keyframes: ["reason", "note"],
  telemetry: ["link", "note", "aircraft_clock"],
  clock: ["clock", "reason", "note"],
};

/** Nothing is red: its card may be small. */
export const isGreen = (steps: readonly Step[]): boolean => steps.every(({ state }) => state !== "bad");

export const hasRemark = ({ state, reason }: Step): boolean => state === "ok" && reason !== "";

export function stepName(language: Language, { step }: Step, { keys }: Pick<PilotFeed, "keys">): string {
  return translate(language, step === "key" && keys === null ? "step.access" : `step.${step}`);
}

/** Why a step is as it is; for what is well and needs no remark, its state's word. */
export function stepSentence(language: Language, step: Step, link: PilotLink | null): string {
  if (step.step === "telemetry" && step.state === "bad") return linkSentence(language, link) ?? "";
  const key = step.reason && PLACES[step.step].map((place) => `${place}.${step.reason}`).find(isKey);
  if (key) return translate(language, key as Key);
  const none = `steps.none_${step.step}`;
  if (step.state === "none" && isKey(none)) return translate(language, none);
  return translate(language, `step_state.${step.state}`);
}

/** What is to be done about a red step; null where its sentence says so itself, or where it depends on more. */
export function stepAdvice({ step, state, reason }: Step): Key | null {
  if (state !== "bad") return null;
  if (step === "telemetry") return linkAdvice(reason);
  if (step === "clock") return reason === "arrival_behind" ? null : "next.clock";
  const advice = Object.hasOwn(ADVICE, reason) ? adviceOn(reason) : "usual";
  return advice === "usual" ? null : advice;
}

/** Of the first red step that has one: what comes, and is not all well. */
export const redAdvice = (steps: readonly Step[]): Key | null =>
  steps.map(stepAdvice).find((advice) => advice !== null) ?? null;
