/** The edit that is offered: what becomes of it when the user types or moves. */

import type { Change, WireEdit } from "./edit";
import { type Typed, typeThrough } from "./typeThrough";

/** An edit is an inline item, or is drawn. What was drawn once stays drawn: `Tab` must not change its meaning. */
export type Way = "inline" | "drawn";

/** What a change of a document did to the edit: nothing, or it is still good, made in full, or no longer good. */
export type Effect = "none" | "kept" | "completed" | "dropped";

export interface Offered {
  readonly uri: string;
  /** The version of the document that `changes` are for. An edit is never applied to another one. */
  readonly version: number;
  readonly changes: readonly Change[];
  readonly way: Way;
  readonly item: WireEdit;
}

/** Holds at most one edit. */
export class Offer {
  private offered: Offered | undefined;

  /** The edit that is offered now. */
  get current(): Offered | undefined {
    return this.offered;
  }

  /** Offer an edit in place of the one before. */
  make(edit: Offered): void {
    this.offered = edit;
  }

  /** Note a change of a document to `version`. */
  changed(uri: string, version: number, typed: readonly Typed[]): Effect {
    const before = this.offered;
    if (!before) {
      return "none";
    }
    const left = uri === before.uri ? typeThrough(before.changes, typed) : undefined;
    this.offered = left?.length ? { ...before, version, changes: left } : undefined;
    if (!left) {
      return "dropped";
    }
    return left.length ? "kept" : "completed";
  }

  /** Draw the edit from now on. */
  drawFromNowOn(): void {
    this.offered = this.offered && { ...this.offered, way: "drawn" };
  }

  /** Withdraw the edit. */
  withdraw(): void {
    this.offered = undefined;
  }
}
