// At most one thing under way: its end can be waited for, or break off another wait. Starts nothing by itself.

/** Without a reason each abort would make an exception with its stack. */
const OVER = 'over';

export class Running {
  isRunning = false;
  /** Aborts when it ends. */
  over: AbortSignal = AbortSignal.abort(OVER);
  private outcome: Promise<PromiseSettledResult<unknown> | undefined> = Promise.resolve(undefined);

  run(work: Promise<unknown>): void {
    const over = new AbortController();
    this.isRunning = true;
    this.over = over.signal;
    this.outcome = Promise.allSettled([work]).then(([result]) => {
      this.isRunning = false;
      over.abort(OVER);
      return result;
    });
  }

  /** @throws what it threw. */
  async end(): Promise<void> {
    const result = await this.outcome;
    if (result?.status === 'rejected') throw result.reason;
  }
}
