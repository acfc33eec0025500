/** How the difference that an edit makes is drawn. VS Code's decorations add text to lines, but no lines. */

import { type Change, endOf, lineStarts } from "./edit";

/** What is drawn. Offsets are in UTF-16 units, lines count from 0. */
export interface Drawing {
  /** The lines that the edit is about. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Text that goes. */
  readonly removed: readonly { readonly start: number; readonly end: number }[];
  /** Text that comes within a line. */
  readonly inserted: readonly { readonly at: number; readonly text: string }[];
  /** New lines, each at the right of a line that is there, `indent` columns from its end. */
  readonly beside: readonly { readonly line: number; readonly indent: number; readonly text: string }[];
}

/** Maximum number of new lines that are drawn for a change. */
const MAX_LINES = 12;
/** Maximum number of characters that are drawn of a text. */
const MAX_LENGTH = 120;
/** Columns between the longest line and the new ones beside it. */
const GAP = 4;

export function draw(changes: readonly Change[], text: string, eol: string, tabSize: number): Drawing {
  const page = new Page(text, eol, tabSize);
  const lines = changes.flatMap((change) => [page.lineAt(change.start), page.lineAt(endOf(change))]);
  const within = changes.filter(({ newText }) => newText && !newText.includes(eol));
  return {
    firstLine: Math.min(...lines),
    lastLine: Math.max(...lines),
    removed: changes.filter(({ oldText }) => oldText).map((change) => ({ start: change.start, end: endOf(change) })),
    inserted: within.map((change) => ({ at: endOf(change), text: page.shown(change.newText) })),
    beside: changes.filter(({ newText }) => newText.includes(eol)).flatMap((change) => page.beside(change)),
  };
}

/** The lines of a document. */
class Page {
  private readonly lines: readonly string[];
  private readonly starts: readonly number[];

  constructor(
    text: string,
    private readonly eol: string,
    private readonly tabSize: number,
  ) {
    this.lines = text.split(eol);
    this.starts = lineStarts(text);
  }

  lineAt(offset: number): number {
    const next = this.starts.findIndex((start) => start > offset);
    return (next < 0 ? this.starts.length : next) - 1;
  }

  /** Return a text as it is drawn: of one line, with spaces for tabs, and not too long. */
  shown(text: string): string {
    const spaced = text.replaceAll("\t", " ".repeat(this.tabSize));
    return spaced.length > MAX_LENGTH ? `${spaced.slice(0, MAX_LENGTH)}…` : spaced;
  }

  /** Return the lines that a change of several lines makes new; those that stay at its start and its end are left out. */
  beside(change: Change): { line: number; indent: number; text: string }[] {
    const first = this.lineAt(change.start);
    const last = this.lineAt(endOf(change));
    const before = this.line(first).slice(0, change.start - (this.starts[first] ?? 0));
    const after = this.line(last).slice(endOf(change) - (this.starts[last] ?? 0));
    const fresh = (before + change.newText + after).split(this.eol);
    const old = this.lines.slice(first, last + 1);
    const same = commonLines(old, fresh);
    const sameAtEnd = commonLines(old.slice(same).reverse(), fresh.slice(same).reverse());
    const line = Math.min(first + same, this.lines.length - 1);
    return this.fit(fresh.slice(same, fresh.length - sameAtEnd), line);
  }

  private fit(rows: readonly string[], line: number): { line: number; indent: number; text: string }[] {
    const room = Math.min(MAX_LINES, this.lines.length - line);
    const column = Math.max(...this.lines.slice(line, line + Math.min(rows.length, room)).map((old) => this.width(old)));
    return rows.slice(0, room).map((row, index) => {
      const hidden = index === room - 1 ? rows.length - room : 0;
      const more = hidden > 0 ? ` … and ${hidden} more` : "";
      return {
        line: line + index,
        indent: column + GAP - this.width(this.line(line + index)),
        text: `${this.shown(row)}${more}`,
      };
    });
  }

  private line(number: number): string {
    return this.lines[number] ?? "";
  }

  private width(line: string): number {
    return Array.from(line).reduce((column, character) => {
      return column + (character === "\t" ? this.tabSize - (column % this.tabSize) : 1);
    }, 0);
  }
}

/** Return how many lines are the same at the start of both. */
function commonLines(some: readonly string[], others: readonly string[]): number {
  const different = some.findIndex((line, index) => line !== others[index]);
  return different < 0 ? some.length : different;
}
