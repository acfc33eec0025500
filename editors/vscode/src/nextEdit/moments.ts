/** When the server is asked for an edit. */

/** Milliseconds without a key or a move after which it is asked. */
export const PAUSE_MS = 300;
/** The same after an edit was applied: VS Code has asked for ghost text by then, which comes first. */
export const AFTER_EDIT_MS = 100;
/** How long after a change a move of the cursor still asks: reading code must not keep the processor busy. */
const RECENT_MS = 120_000;

/** A cursor, in the version of the document that it was seen in. */
export interface Cursor {
  readonly uri: string;
  readonly version: number;
  readonly line: number;
}

/** Where the user has moved the cursor: not at all, within its line, or to another line. */
export type Move = "none" | "within" | "elsewhere";

/** Tells moves of the cursor that the user makes from those that come with a change. */
export class Moves {
  private last: Cursor | undefined;
  private lastChange = -Infinity;

  /** Note that a document was changed at `now` (milliseconds). */
  changed(now: number): void {
    this.lastChange = now;
  }

  /** Whether there was a change not long before `now`. */
  isSoonAfterChange(now: number): boolean {
    return now - this.lastChange < RECENT_MS;
  }

  /** Note where the cursor is. */
  moved(cursor: Cursor): Move {
    const before = this.last;
    this.last = cursor;
    if (!before || (before.uri === cursor.uri && before.version !== cursor.version)) {
      return "none"; // typing moves the cursor too
    }
    return before.uri === cursor.uri && before.line === cursor.line ? "within" : "elsewhere";
  }
}
