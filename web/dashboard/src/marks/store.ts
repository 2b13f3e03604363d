/** The marks there are, the newest first. Pure. */

import type { Mark } from "./api";

export class Marks {
  private all = new Map<string, Mark>();
  /** Rises with every change, so that whoever draws them knows. */
  version = 0;

  /** All there are: what was known before is gone. */
  replace(marks: readonly Mark[]): void {
    this.all = new Map(marks.map((mark) => [mark.id, mark]));
    this.version += 1;
  }

  take(mark: Mark): void {
    if (mark.removed) this.all.delete(mark.id);
    else this.all.set(mark.id, mark);
    this.version += 1;
  }

  get list(): Mark[] {
    return [...this.all.values()].sort((a, b) => b.utc_ms - a.utc_ms || a.id.localeCompare(b.id));
  }
}
