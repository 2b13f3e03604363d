/** What somebody may want to look at again: marks and alarms of one aircraft. Pure. */

import type { Mark } from "../marks/api";
import type { Tick } from "./timelineBar";

/** `begun`: when alarms began; several sources may tell of one. */
export function ticksOf(aircraftId: string, marks: readonly Mark[], begun: readonly number[]): Tick[] {
  return [
    ...marks
      .filter((mark) => mark.aircraft_id === aircraftId)
      .map(({ utc_ms: utcMs }): Tick => ({ kind: "mark", utcMs })),
    ...[...new Set(begun)].map((utcMs): Tick => ({ kind: "alarm", utcMs })),
  ];
}
