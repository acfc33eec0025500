/** An edit as an ordinary inline completion item, where it can be one. */

import { type Change, endOf } from "./edit";

/** Text that replaces characters `start` to `end` of a document: the rest of the cursor's line, which it repeats. */
export interface InlineItem {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Return the item; undefined if the edit cannot be one.
 *
 * VS Code shows an item only if it inserts text, and only on the line of the cursor, at the cursor or after it. New
 * lines directly below that line count as text at its end.
 *
 * @param text the document.
 * @param cursor the offset of the cursor.
 */
export function inlineItem(changes: readonly Change[], text: string, cursor: number, eol: string): InlineItem | undefined {
  const found = text.indexOf(eol, cursor);
  const end = found < 0 ? text.length : found;
  let inserted = "";
  let at = cursor;
  for (const change of changes) {
    const { start, oldText, newText } = atLineEnd(withoutCommonStart(change), end, eol);
    if (oldText || start < at || start > end) {
      return undefined;
    }
    inserted += text.slice(at, start) + newText;
    at = start;
  }
  return { start: cursor, end, text: inserted + text.slice(at, end) };
}

function withoutCommonStart(change: Change): Change {
  const { oldText, newText } = change;
  return newText.startsWith(oldText)
    ? { start: endOf(change), oldText: "", newText: newText.slice(oldText.length) }
    : change;
}

/** Return new lines that begin directly below a line's end as text at that end; any other change as it is. */
function atLineEnd(change: Change, end: number, eol: string): Change {
  const { start, newText } = change;
  return start === end + eol.length && newText.endsWith(eol)
    ? { ...change, start: end, newText: eol + newText.slice(0, newText.length - eol.length) }
    : change;
}
