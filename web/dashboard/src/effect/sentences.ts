/** The effect of an incident in words and numbers. Pure. */

import { translate, type Language } from "../catalogue";
import { dateTime, number, spokenDuration, timeOfDay } from "../format";
import type { Bar, Step, Tick } from "./charts";
import type { Effect, FeedEffect, Summary } from "./api";

/** "60 ms", "1,2 s", "12 s", "3 min 05 s"; unknown is "--". */
export function shortTime(language: Language, ms: number | null): string {
  if (ms === null) return "--";
  if (ms < 1000) return `${number(language, ms)} ms`;
  if (ms < 60_000) return `${number(language, ms / 1000, ms < 10_000 && ms % 1000 ? 1 : 0)} s`;
  return spokenDuration(ms);
}

export const watched = (summary: Summary): string => spokenDuration(summary.hours * 3_600_000);

/** The kind of it, when, and how much was flown. */
export function facts(language: Language, { incident, flights, flown_ms }: Effect): string[] {
  const from = dateTime(language, incident.opened_ms);
  return [
    translate(language, `incidents.kind_${incident.kind}`),
    incident.closed_ms === null
      ? translate(language, "effect.since", { time: from })
      : translate(language, "effect.until", { from, to: dateTime(language, incident.closed_ms) }),
    translate(language, "effect.flights", { count: flights, time: spokenDuration(flown_ms) }),
  ];
}

export interface Figure {
  title: string;
  value: string;
  more: string[];
}

export function figures(language: Language, effect: Effect): Figure[] {
  const { summary } = effect;
  const say = (key: Parameters<typeof translate>[1], values: Record<string, string | number>): string =>
    translate(language, key, values);
  return [
    {
      title: translate(language, "effect.first"),
      value: shortTime(language, summary.join_p50_ms),
      more: [
        say("effect.first_most", { time: shortTime(language, summary.join_p95_ms) }),
        ...(summary.without_picture ? [say("effect.first_never", { count: summary.without_picture })] : []),
      ],
    },
    {
      title: translate(language, "effect.watched"),
      value: watched(summary),
      more: [
        say("effect.viewers", { count: summary.viewings }),
        say("effect.most", { count: effect.most_at_once }),
      ],
    },
    {
      title: translate(language, "effect.age"),
      value: shortTime(language, effect.age_p50_ms),
      more: summary.ages.some((seconds) => seconds > 0) ? [oldest(language, effect)] : [],
    },
    {
      title: translate(language, "effect.interruptions"),
      value: String(summary.interruptions),
      more: [say("effect.interrupted", { time: shortTime(language, summary.interrupted_ms) })],
    },
  ];
}

function oldest(language: Language, { age_p95_ms, summary }: Effect): string {
  const time = shortTime(language, age_p95_ms ?? summary.age_edges_ms.at(-1) ?? null);
  return translate(language, age_p95_ms === null ? "effect.age_older" : "effect.age_most", { time });
}

/** Every bucket, also the empty ones: that nothing was late is worth seeing. */
export const joinBars = (language: Language, { joins, join_edges_ms }: Effect): Bar[] =>
  joins.map((count, i) => ({
    label: edgeLabel(language, join_edges_ms, i),
    value: count,
    told: String(count),
  }));

export function ageBars(language: Language, { ages, age_edges_ms }: Summary): Bar[] {
  const all = ages.reduce((sum, seconds) => sum + seconds, 0) || 1;
  return ages.map((seconds, i) => ({
    label: edgeLabel(language, age_edges_ms, i),
    value: seconds,
    told: percent(language, seconds / all),
  }));
}

function percent(language: Language, share: number): string {
  if (share > 0 && share < 0.001) return `<${number(language, 0.1, 1)} %`;
  return `${number(language, share * 100, share < 0.1 ? 1 : 0)} %`;
}

function edgeLabel(language: Language, edges: readonly number[], i: number): string {
  const edge = edges[i];
  return edge === undefined ? translate(language, "effect.over") : `≤ ${shortEdge(language, edge)}`;
}

const shortEdge = (language: Language, ms: number): string =>
  `${number(language, ms / 1000, ms % 1000 === 0 ? 0 : ms % 100 === 0 ? 1 : 2)} s`;

/** A few moments of the course, the first and the last among them. */
export function ticks(steps: readonly Step[], count = 5): Tick[] {
  const [from, to] = [steps[0]?.utc_ms, steps.at(-1)?.utc_ms];
  if (from === undefined || to === undefined || to <= from) return [];
  return Array.from({ length: count }, (_, i) => {
    const utc_ms = from + ((to - from) * i) / (count - 1);
    return { utc_ms, label: timeOfDay(utc_ms).slice(0, to - from < 600_000 ? 8 : 5) };
  });
}

export const cells = (language: Language, feed: FeedEffect): string[] => {
  const { summary } = feed;
  return [
    `${feed.aircraft_name} · ${feed.name || feed.feed_id}`,
    String(summary.viewings),
    String(feed.most_at_once),
    watched(summary),
    shortTime(language, summary.join_p50_ms),
    shortTime(language, summary.join_p95_ms),
    summary.interruptions === 0
      ? "0"
      : `${summary.interruptions} (${shortTime(language, summary.interrupted_ms)})`,
  ];
};
