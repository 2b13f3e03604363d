/** One thing after the other, again and again, for as long as there is something to show. */

import { Backoff } from "../backoff";

const IDLE_MS = 100;

export class Loop {
  /** The last thing has failed, for no fault of the page's. */
  isFailing = false;
  private readonly backoff = new Backoff(500, 5000);
  private current = new AbortController();
  private wake: () => void = () => undefined;
  private closed = false;

  /**
   * `step` does the next thing and returns whether there may be more to do at once. What it throws is told to
   * `failed`, unless it was broken off, and it is tried again, ever more rarely.
   */
  constructor(
    private readonly step: (signal: AbortSignal) => Promise<boolean>,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    void this.run();
  }

  /** Break off what is being done: something else is wanted. */
  interrupt(): void {
    this.current.abort();
    this.wake();
  }

  /** There may be something to do. */
  hurry(): void {
    this.wake();
  }

  close(): void {
    this.closed = true;
    this.interrupt();
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      if (!(await this.attempt())) await this.rest(IDLE_MS);
    }
  }

  private async attempt(): Promise<boolean> {
    this.current = new AbortController();
    const { signal } = this.current;
    try {
      const did = await this.step(signal);
      if (did) this.isFailing = false;
      if (did) this.backoff.reset();
      return did;
    } catch (error) {
      if (this.closed || signal.aborted) return !this.closed;
      this.isFailing = true;
      this.failed(error);
      await this.rest(this.backoff.nextMs());
      return true;
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = window.setTimeout(resolve, ms);
      this.wake = () => {
        window.clearTimeout(timer);
        resolve();
      };
    });
  }
}
