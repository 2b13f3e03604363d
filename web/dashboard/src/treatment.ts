/** What is done to a picture on its way, why, and what it costs: in plain words. Pure. */

import type { Feed, RenditionChosen, RenditionState, SourceState } from "./api";
import { isKey, translate, type Key, type Language } from "./catalogue";
import { number } from "./format";

type Watched = Pick<Feed, "renditions"> & { state: SourceState | null };

/** "Umgewandelt" "H.265 → H.264" "+45 ms, 0,4 Kerne". */
export interface Treatment {
  how: string;
  what: string;
  cost: string; // "" where it is not known
}

/** Notes of a source that can be shown only after they are done away with, or that came from another codec. */
const FOREIGN = /^codec_(?!h26)/;
const treats = (note: string): boolean => isKey(`made.${note}`) && note !== "scaled";

export const sentence = ({ how, what, cost }: Treatment): string =>
  `${how}: ${[what, cost].filter(Boolean).join(", ")}`;

export function renditionOf(feed: Watched, rendition: string): RenditionState | undefined {
  return feed.renditions.find((one) => one.rendition === rendition);
}

/** What is done to what a viewer of that rendition sees; null where nothing is. */
export function treatment(language: Language, feed: Watched, rendition: string): Treatment | null {
  if (rendition === "source") return arrival(language, feed.state);
  const made = renditionOf(feed, rendition);
  const isLive = made?.status === "live";
  const kind = rendition === "low" ? "smaller" : "converted";
  return {
    how: translate(language, isLive || !made ? `treat.${kind}` : `treat.${kind}_soon`),
    what: rendition === "low" ? size(made) : steps(language, made?.why.length ? made.why : notesOf(feed)),
    cost: isLive ? costs(language, made) : "",
  };
}

/** Pictures of codecs that do not travel were made anew before anybody saw them. */
function arrival(language: Language, state: SourceState | null): Treatment | null {
  const notes = state?.notes.filter((note) => FOREIGN.test(note)) ?? [];
  if (notes.length === 0) return null;
  return { how: translate(language, "treat.arrival"), what: steps(language, notes), cost: "" };
}

const notesOf = ({ state }: Watched): string[] => state?.notes.filter((note) => !FOREIGN.test(note)) ?? [];

function steps(language: Language, notes: readonly string[]): string {
  const words = notes.filter(treats).map((note) => translate(language, `made.${note}` as Key));
  return words.join(", ") || "H.264";
}

const size = (made: RenditionState | undefined): string =>
  made?.width_px && made.height_px ? `${made.width_px} × ${made.height_px}` : "640 × 360";

function costs(language: Language, { delay_ms: delay, cpu_share: share }: RenditionState): string {
  const cores = share === null ? "" : number(language, Math.max(share, 0.1), 1);
  return [
    delay === null ? "" : `+${number(language, Math.max(delay, 1))} ms`,
    cores && translate(language, (share as number) < 0.05 ? "treat.cores_less" : "treat.cores", { cores }),
  ]
    .filter(Boolean)
    .join(", ");
}

/** What a viewer must know of the making of his picture when it goes wrong; null while it goes well. */
export function trouble(language: Language, feed: Watched, chosen: RenditionChosen | null): string | null {
  const concerned = chosen ? [chosen.rendition, chosen.target] : [];
  for (const rendition of concerned) {
    const made = rendition === "source" ? undefined : renditionOf(feed, rendition);
    if (made && (made.status === "failed" || made.reason === "encoder_slow" || made.reason === "undecodable"))
      return troubleOf(language, made);
  }
  return null;
}

function troubleOf(language: Language, { reason }: RenditionState): string {
  const key = `reason.${reason}`;
  return translate(language, isKey(key) ? key : "reason.encoder_failed");
}

/** Everything that is done to a feed's pictures, for whoever sends them; how it goes, and how it would go. */
export function treatments(language: Language, feed: Watched): string[] {
  const found: string[] = [];
  const came = arrival(language, feed.state);
  if (came) found.push(sentence(came) + ".");
  for (const rendition of ["web", "low"] as const) {
    const made = renditionOf(feed, rendition);
    const done = treatment(language, feed, rendition);
    if (!done) continue;
    const isNeeded = rendition === "web" && notesOf(feed).some(treats);
    if (made?.status === "failed") found.push(troubleOf(language, made));
    else if (made?.status === "live" || made?.status === "starting") {
      found.push(sentence(done) + ".");
      if (made.reason === "encoder_slow" || made.reason === "undecodable")
        found.push(troubleOf(language, made));
    } else if (isNeeded) found.push(translate(language, "treat.when_watched", { what: done.what }));
  }
  if (found.length === 0 && feed.state?.status === "live")
    found.push(translate(language, "reason.not_needed"));
  return found;
}

/** How the sender can save it; null where there is nothing to be saved. */
export function advice(state: SourceState | null): Key | null {
  const key = state?.notes.map((note) => `advice.${note}`).find(isKey);
  return key ?? null;
}
