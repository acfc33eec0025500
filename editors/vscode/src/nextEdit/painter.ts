/** Draws an edit at its place, and the hint. */

import * as vscode from "vscode";

import type { Drawing } from "./drawing";

const INSERTED: vscode.ThemableDecorationAttachmentRenderOptions = {
  backgroundColor: new vscode.ThemeColor("diffEditor.insertedTextBackground"),
  color: new vscode.ThemeColor("editorGhostText.foreground"),
};
const HINT: vscode.ThemableDecorationAttachmentRenderOptions = {
  color: new vscode.ThemeColor("editorCodeLens.foreground"),
  margin: "0 0 0 2ch",
};

const NOTHING = { removed: [], inserted: [], beside: [] };

/** A text at the end of a line. */
export interface Hint {
  readonly line: number;
  readonly text: string;
}

export class Painter implements vscode.Disposable {
  private readonly removed = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("diffEditor.removedTextBackground"),
    textDecoration: "line-through",
  });
  private readonly inserted = vscode.window.createTextEditorDecorationType({});
  private readonly beside = vscode.window.createTextEditorDecorationType({});
  private readonly hint = vscode.window.createTextEditorDecorationType({});

  /** Draw an edit and a hint in an editor, in place of what is drawn there. */
  paint(editor: vscode.TextEditor, drawing: Drawing | undefined, hint: Hint | undefined): void {
    const { document } = editor;
    const { removed, inserted, beside } = drawing ?? NOTHING;
    editor.setDecorations(
      this.removed,
      removed.map(({ start, end }) => new vscode.Range(document.positionAt(start), document.positionAt(end))),
    );
    editor.setDecorations(
      this.inserted,
      inserted.map(({ at, text }) => attached(document.positionAt(at), { ...INSERTED, contentText: unbroken(text) })),
    );
    editor.setDecorations(
      this.beside,
      beside.map(({ line, indent, text }) => {
        const margin = `0 0 0 ${indent}ch`;
        return attached(endOfLine(document, line), { ...INSERTED, margin, contentText: unbroken(text) });
      }),
    );
    editor.setDecorations(
      this.hint,
      (hint ? [hint] : []).map(({ line, text }) =>
        attached(endOfLine(document, line), { ...HINT, contentText: unbroken(text) }),
      ),
    );
  }

  dispose(): void {
    vscode.Disposable.from(this.removed, this.inserted, this.beside, this.hint).dispose();
  }
}

function attached(
  position: vscode.Position,
  after: vscode.ThemableDecorationAttachmentRenderOptions,
): vscode.DecorationOptions {
  return { range: new vscode.Range(position, position), renderOptions: { after } };
}

function endOfLine(document: vscode.TextDocument, line: number): vscode.Position {
  return document.validatePosition(new vscode.Position(line, Number.MAX_SAFE_INTEGER));
}

/** Return a text whose spaces the editor keeps. */
function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}
