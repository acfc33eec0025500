/** An edit in VS Code's documents: where it is, how the user gets there, and how it is applied. */

import * as vscode from "vscode";

import { endAfter, endOf } from "./edit";
import { inlineItem } from "./inlineItem";
import type { Offered } from "./offer";

/** The key under which documents are compared. */
export function uriOf({ uri }: vscode.TextDocument): string {
  return uri.toString();
}

/** The line end of a document. */
export function eolOf({ eol }: vscode.TextDocument): string {
  return eol === vscode.EndOfLine.CRLF ? "\r\n" : "\n";
}

/** Return an open document; undefined if it is not open. */
export function openDocument(uri: string): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find((document) => uriOf(document) === uri);
}

/** Whether a line of the edit's document is within the edit. */
export function isAt({ changes }: Offered, document: vscode.TextDocument, line: number): boolean {
  const [first, last] = [changes.at(0), changes.at(-1)];
  return (
    first !== undefined &&
    last !== undefined &&
    document.positionAt(first.start).line <= line &&
    line <= document.positionAt(endOf(last)).line
  );
}

/** Return the edit as an inline completion item at a position of its document; undefined if it cannot be one. */
export function itemAt(
  { changes, item: { command } }: Offered,
  document: vscode.TextDocument,
  position: vscode.Position,
): vscode.InlineCompletionItem | undefined {
  const found = inlineItem(changes, document.getText(), document.offsetAt(position), eolOf(document));
  return (
    found &&
    new vscode.InlineCompletionItem(found.text, rangeOf(document, found.start, found.end), {
      ...command,
      arguments: [...command.arguments],
    })
  );
}

/** Whether the user can be taken to a document. A cell of a notebook cannot be shown without the notebook. */
export function canBeShown({ uri }: vscode.TextDocument): boolean {
  return uri.scheme !== "vscode-notebook-cell";
}

/** Put the cursor where an edit begins. */
export async function goTo({ changes }: Offered, document: vscode.TextDocument): Promise<void> {
  const active = vscode.window.activeTextEditor;
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  const editor =
    active?.document === document ? active : await vscode.window.showTextDocument(document, shown?.viewColumn);
  const place = document.positionAt(changes[0]?.start ?? 0);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Apply an edit as one step of undo, and put the cursor behind it; returns false if the document has just changed. */
export async function apply({ changes }: Offered, editor: vscode.TextEditor): Promise<boolean> {
  const { document } = editor;
  const applied = await editor.edit((builder) => {
    for (const change of changes) {
      builder.replace(rangeOf(document, change.start, endOf(change)), change.newText);
    }
  });
  if (applied) {
    const end = document.positionAt(endAfter(changes));
    editor.selection = new vscode.Selection(end, end);
  }
  return applied;
}

function rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}
