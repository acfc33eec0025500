/** What the tests of the next edit share. */

import type { Change } from "../src/nextEdit/edit";

/** Return the change of one piece of a text, which must be there once, and the text in its place. */
export function change(text: string, oldText: string, newText: string, before = ""): Change {
  const start = text.indexOf(before + oldText) + before.length;
  return { start, oldText, newText };
}

/** Return the text after changes. */
export function applied(text: string, changes: readonly Change[]): string {
  return changes.toReversed().reduce((now, { start, oldText, newText }) => {
    return now.slice(0, start) + newText + now.slice(start + oldText.length);
  }, text);
}
