/** The moment and the camera in the page's address: to share, and to find again. Pure. */

export interface Moment {
  utcMs: number | null;
  feed: string | null;
}

export function momentIn(search: string): Moment {
  const asked = new URLSearchParams(search);
  const text = asked.get("t");
  const utcMs = text === null || text === "" ? NaN : Number(text);
  return { utcMs: Number.isFinite(utcMs) ? utcMs : null, feed: asked.get("feed") };
}

/** Other parameters are kept. Rounded up: what is named by it is this picture, not the one before. */
export function withMoment(search: string, { utcMs, feed }: Moment): string {
  const parameters = new URLSearchParams(search);
  if (utcMs !== null) parameters.set("t", String(Math.ceil(utcMs)));
  if (feed) parameters.set("feed", feed);
  return `?${parameters.toString()}`;
}

const MOST_SHOWN = 4; // pictures that one computer decodes at a time

/** The cameras to show, and the large one: those that have pictures, the one that is asked for among them. */
export function camerasOf(
  feeds: readonly { id: string; pictures: number }[],
  asked: string | null,
): { shown: string[]; main: string } {
  const filmed = feeds.filter(({ pictures }) => pictures > 0);
  const all = (filmed.length ? filmed : feeds).map(({ id }) => id);
  const main = all.find((id) => id === asked) ?? all[0] ?? "";
  const shown = all.slice(0, MOST_SHOWN);
  return { shown: main === "" || shown.includes(main) ? shown : [...shown.slice(0, -1), main], main };
}
