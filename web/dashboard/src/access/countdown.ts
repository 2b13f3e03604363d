/** How long one must wait after too many attempts. Pure. */

export class Countdown {
  private untilMs = 0;

  start(now: number, seconds: number): void {
    this.untilMs = now + seconds * 1000;
  }

  /** Whole seconds left; 0: it is over. */
  left(now: number): number {
    return Math.max(0, Math.ceil((this.untilMs - now) / 1000));
  }
}
