/** What the viewer has chosen: feeds in the address (to share and reload), the rest in this browser. */

import type { Feed } from "./api";
import type { Language } from "./catalogue";
import type { Theme } from "./mapStyle";

export interface Feeds {
  main: string | null;
  second: string | null;
}

const PAIR_WIDTH_PX = 900;

/**
 * Feeds to show at the start: the address's; else the first aircraft's first, beside it its second camera where
 * there is room. An id that does not exist (any more) is kept, so that the page can say so.
 */
export function firstChoice(search: string, feeds: readonly Feed[], widthPx: number): Feeds {
  const asked = new URLSearchParams(search);
  const main = asked.get("feed");
  if (main) {
    const second = asked.get("second");
    return { main, second: second === main ? null : second };
  }
  const first = feeds[0];
  const beside = feeds.find((feed) => feed.id !== first?.id && feed.aircraft_id === first?.aircraft_id);
  return { main: first?.id ?? null, second: widthPx >= PAIR_WIDTH_PX ? (beside?.id ?? null) : null };
}

/** The address of a choice, other parameters kept. */
export function withChoice(search: string, { main, second }: Feeds): string {
  const parameters = new URLSearchParams(search);
  for (const [name, value] of [
    ["feed", main],
    ["second", second],
  ] as const) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

export interface Taste {
  language: Language;
  theme: Theme;
  hud: boolean;
  map: boolean;
}

const KEY = "lagebild";
const FIRST: Taste = { language: "de", theme: "dark", hud: true, map: true };

export function loadTaste(): Taste {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Taste>) };
  } catch {
    return { ...FIRST }; // storage forbidden or damaged
  }
}

export function saveTaste(taste: Taste): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(taste));
  } catch {
    // storage forbidden: the choice lasts until the page is left
  }
}
