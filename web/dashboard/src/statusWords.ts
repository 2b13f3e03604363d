/** The aircraft's own words (STATUSTEXT) as a sentence that a tired person understands. Pure. */

import type { Language } from "./catalogue";
import { FLIGHT_PATTERNS, START_PATTERNS, type Pattern } from "./statusPatterns";

export interface StatusSentence {
  text: string;
  original: boolean; // nobody has put it into words yet: it stands as the aircraft said it
}

/** What comes before a reason not to start, in ArduPilot and PX4 of many releases. */
const START = /^(?:PreArm|Arm|Preflight Fail|Arming denied)[:!]\s*/i;
const REFUSED = { de: "Startet nicht", en: "Will not start" } as const;

/** What turns a text into its opposite: a pattern that does not have the word is not meant. */
const TURNS = [
  /clear/i,
  /deactivat/i,
  /disabled/i,
  /recover/i,
  /regain/i,
  /resolved/i,
  /restored/i,
  /no longer/i,
  /\boff\b/i,
  /\bnot\b/i,
  /unavailable/i,
  /denied/i,
];

export function statusSentence(language: Language, said: string): StatusSentence {
  const text = said.trim();
  const body = text.replace(START, "");
  if (body === text) {
    const turns = TURNS.filter((turn) => turn.test(text));
    const patterns = FLIGHT_PATTERNS.filter(([said]) => turns.every((turn) => turn.test(said.source)));
    const found = sentence(language, text, patterns);
    return found === null ? { text, original: true } : { text: found, original: false };
  }
  const reason = sentence(language, body, START_PATTERNS);
  return { text: `${REFUSED[language]}: ${reason ?? body}`, original: reason === null };
}

function sentence(language: Language, text: string, patterns: readonly Pattern[]): string | null {
  for (const [said, de, en] of patterns) {
    const found = said.exec(text);
    if (found) return filled(language === "de" ? de : en, found, language);
  }
  return null;
}

/** `$1` is the first group of the text; a decimal point becomes the language's. */
function filled(words: string, found: RegExpExecArray, language: Language): string {
  return words.replace(/\$(\d)/g, (_, n: string) => {
    const value = found[Number(n)] ?? "";
    return language === "de" && /^-?\d+\.\d+$/.test(value) ? value.replace(".", ",") : value;
  });
}
