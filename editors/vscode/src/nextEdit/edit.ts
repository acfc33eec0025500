/** An edit that the server predicts: as it is sent, and as the extension keeps it. */

/** A place in a document, as LSP has it: both count from 0, `character` in UTF-16 units. */
export interface WirePosition {
  readonly line: number;
  readonly character: number;
}

export interface WireRange {
  readonly start: WirePosition;
  readonly end: WirePosition;
}

/** An edit in the answer to `textDocument/copilotInlineEdit`; docs/plugin-protocol.md describes it. */
export interface WireEdit {
  readonly textDocument: { readonly uri: string; readonly version: number };
  readonly command: { readonly title: string; readonly command: string; readonly arguments: readonly unknown[] };
  readonly changes: readonly { readonly range: WireRange; readonly newText: string }[];
}

/** One part of an edit. Offsets are in UTF-16 units of the document. */
export interface Change {
  readonly start: number;
  readonly oldText: string;
  readonly newText: string;
}

/** Where a change ends in the document as it is. */
export function endOf({ start, oldText }: Change): number {
  return start + oldText.length;
}

/** Where the last of some changes ends once all are made. */
export function endAfter(changes: readonly Change[]): number {
  let grown = 0;
  let end = 0;
  for (const change of changes) {
    grown += change.newText.length - change.oldText.length;
    end = endOf(change) + grown;
  }
  return end;
}

/**
 * Return the parts of an edit in their order in the document.
 *
 * @param text the document in the version that the edit is for.
 * @param eol the document's line end; new text gets it.
 */
export function changesOf(edit: WireEdit, text: string, eol: string): Change[] {
  const starts = lineStarts(text);
  const offsetAt = ({ line, character }: WirePosition): number =>
    Math.min((starts[line] ?? text.length) + character, text.length);
  return edit.changes
    .map(({ range, newText }) => {
      const start = offsetAt(range.start);
      const oldText = text.slice(start, offsetAt(range.end));
      return { start, oldText, newText: newText.replace(/\r\n|\r|\n/g, eol) };
    })
    .sort((a, b) => a.start - b.start);
}

/** Return the offset of each line of a text. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (const { 0: end, index } of text.matchAll(/\r\n|\r|\n/g)) {
    starts.push(index + end.length);
  }
  return starts;
}
