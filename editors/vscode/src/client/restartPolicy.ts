/** Decides whether a server that ended unexpectedly is started again. */

const MAX_RESTARTS = 4;
const PERIOD_MS = 3 * 60_000;

/** Allows four restarts within three minutes. */
export class RestartPolicy {
  private crashTimes: number[] = [];

  /** Record that the server ended at `now` (milliseconds); returns whether to start it again. */
  shouldRestart(now: number): boolean {
    this.crashTimes = [...this.crashTimes.filter((time) => now - time < PERIOD_MS), now];
    return this.crashTimes.length <= MAX_RESTARTS;
  }
}
