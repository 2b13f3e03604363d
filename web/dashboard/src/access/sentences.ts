/** Who comes in, in words. Pure. */

import type { Person } from "../api";
import { isKey, translate, type Language } from "../catalogue";
import { dateTime, timeOfDay } from "../format";
import type { Link } from "./api";
import type { Me } from "./me";

/** Why the service refuses, by its code. */
export function refusedWords(language: Language, code: string): string {
  const key = `refused.${code}`;
  return isKey(key) ? translate(language, key) : `${translate(language, "refused.failed")} (${code})`;
}

export function whoAmI(language: Language, me: Me | null): string {
  const kind = me?.kind ?? "nobody";
  return translate(language, `me.${kind}`, {
    name: me?.name ?? "",
    login: me?.login ?? "",
    incident: me?.incident?.name ?? "",
  });
}

/** What somebody is called who watches. */
export function personName(language: Language, { kind, name }: Pick<Person, "kind" | "name">): string {
  if (name) return name;
  return translate(language, kind === "local" ? "watchers.local" : "watchers.unnamed");
}

/** What is said beside the name: what he is if he has no account, and since when. */
export function personFacts(language: Language, { kind, name, since_ms }: Person): string {
  const what =
    kind === "guest" || kind === "machine" || (kind === "local" && name)
      ? translate(language, `watchers.${kind}`)
      : "";
  const since = translate(language, "watchers.since", { time: timeOfDay(since_ms).slice(0, 5) });
  return [what, since].filter(Boolean).join(" · ");
}

/** Whether a link still opens. */
export const holds = (link: Pick<Link, "revoked_ms" | "expires_ms">, nowMs: number): boolean =>
  link.revoked_ms === null && nowMs < link.expires_ms;

/** "gilt bis 25.11.2026 04:10 · von Meier · Gäste: 3" */
export function linkFacts(language: Language, link: Link, nowMs: number): string {
  const { revoked_ms: revoked, expires_ms: expires } = link;
  const until =
    revoked !== null
      ? translate(language, "links.revoked", { time: dateTime(language, revoked) })
      : translate(language, nowMs < expires ? "links.until" : "links.expired", {
          time: dateTime(language, expires),
        });
  return [
    until,
    link.by && translate(language, "links.by", { name: link.by }),
    link.guests > 0 && translate(language, "links.came", { count: link.guests }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** How long a link lasts, on the button that chooses it. */
export const lasting = (language: Language, hours: number): string =>
  hours < 48
    ? translate(language, "links.for_hours", { hours })
    : translate(language, "links.for_days", { days: Math.round(hours / 24) });
