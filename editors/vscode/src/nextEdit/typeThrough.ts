/** An edit that the user makes by hand, key by key: what is left of it. */

import { type Change, endOf } from "./edit";

/** A change of a document, as VS Code reports it. */
export interface Typed {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/**
 * Return what is left of an edit after the user has changed the document; an empty list if it is made in full.
 *
 * Undefined if something else was typed. `typed` is in the order in which VS Code applies it.
 */
export function typeThrough(changes: readonly Change[], typed: readonly Typed[]): readonly Change[] | undefined {
  let left: readonly Change[] | undefined = changes;
  for (const one of typed) {
    left = left && afterOne(left, one);
  }
  return left;
}

function afterOne(changes: readonly Change[], typed: Typed): readonly Change[] | undefined {
  const end = typed.rangeOffset + typed.rangeLength;
  const index = changes.findIndex((change) => change.start <= typed.rangeOffset && end <= endOf(change));
  const change = changes[index];
  const rest = change && restOf(change, typed);
  if (!rest) {
    return undefined;
  }
  const grown = typed.text.length - typed.rangeLength;
  const later = changes.slice(index + 1).map((other) => ({ ...other, start: other.start + grown }));
  return [...changes.slice(0, index), ...(rest.oldText || rest.newText ? [rest] : []), ...later];
}

/** Return what is left of the change that the user has typed in; undefined if what is there does not belong to it. */
function restOf({ start, oldText, newText }: Change, { rangeOffset, rangeLength, text }: Typed): Change | undefined {
  const at = rangeOffset - start;
  const now = oldText.slice(0, at) + text + oldText.slice(at + rangeLength);
  const made = commonStart(now, newText);
  const left = now.slice(made);
  const missing = newText.slice(made);
  if (missing.endsWith(left)) {
    // VS Code has closed a bracket or a quote by itself, or nothing of the old text is left.
    return { start: start + made, oldText: "", newText: missing.slice(0, missing.length - left.length) };
  }
  return oldText.endsWith(left) ? { start: start + made, oldText: left, newText: missing } : undefined;
}

function commonStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) {
    length += 1;
  }
  return length;
}
