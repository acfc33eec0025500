/** When a server that keeps ending is left alone. */

const MOST = 4;
const WITHIN_MS = 3 * 60_000;

/** Counts the ends of a server: five within three minutes are too many. */
export class Crashes {
  private times: number[] = [];

  /** Note an end; returns whether the server should be started again. */
  add(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < WITHIN_MS), now];
    return this.times.length <= MOST;
  }
}
