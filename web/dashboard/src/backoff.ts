/** Waiting times of a repeated attempt: doubling, bounded, with jitter so that viewers do not come all at once. */

export class Backoff {
  private failures = 0;

  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  nextMs(): number {
    const ms = Math.min(this.mostMs, this.firstMs * 2 ** this.failures);
    this.failures += 1;
    return ms * (0.75 + 0.5 * this.random());
  }

  reset(): void {
    this.failures = 0;
  }
}
