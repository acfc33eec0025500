/** Follows the progress reports of model loading, which the status bar shows. */

/** The message with which the server begins these reports. It must be the same in the server. */
export const LOADING_MODEL = "loading the model";

type Token = number | string;

/** The parts of LSP's `WorkDoneProgress` values that matter here. */
export interface ProgressReport {
  readonly kind: "begin" | "report" | "end";
  readonly message?: string;
  readonly percentage?: number;
}

export interface LoadingEvents {
  onProgress(message: string, percentage: number): void;
  onEnd(): void;
}

/** Tells the reports of model loading apart from those of other work, by their token. */
export class LoadingProgress {
  private token: Token | undefined;

  constructor(private readonly events: LoadingEvents) {}

  /**
   * Take a report that the server sent; returns whether it must also reach the client's own progress display.
   *
   * That is so for reports of other work, and for the end of loading: the client frees the token then.
   */
  take(token: Token, report: ProgressReport): boolean {
    if (report.kind === "begin" && report.message === LOADING_MODEL) {
      this.token = token;
    }
    if (token !== this.token) {
      return true;
    }
    if (report.kind === "end") {
      this.events.onEnd();
      return true;
    }
    this.events.onProgress(report.message ?? LOADING_MODEL, report.percentage ?? 0);
    return false;
  }
}
