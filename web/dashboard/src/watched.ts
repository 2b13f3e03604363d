/** What the map shows of a watched feed: how it is now, or how it was at the moment that is looked back to. */

import type { Language } from "./catalogue";
import type { Channel } from "./channel";
import type { Watched } from "./mapPanel";
import type { Past } from "./rewind/session";
import { linkSentence } from "./sentences";

export function watched(language: Language, channel: Channel, past: Past | null): Watched {
  const { feed, newestSample, look, text, link } = channel;
  const linkTrouble = linkSentence(language, link);
  if (past === null) return { feed, sample: newestSample, linkTrouble, text, look, past };
  const { sample, momentMs: utcMs, knowsSample: isKnown } = past;
  const place = { utcMs, live: newestSample, isKnown };
  return { feed, sample, linkTrouble, text, look: sample?.looks?.[feed.id] ?? null, past: place };
}
