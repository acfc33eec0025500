/** Shows the edit that is offered: the drawing, the hint, the status bar, and whether its keys are in use. */

import { basename } from "node:path";
import * as vscode from "vscode";

import type { StatusBar } from "../ui/statusBar";
import { eolOf, openDocument } from "./documents";
import { type Drawing, draw } from "./drawing";
import type { Offered } from "./offer";
import { type Hint, Painter } from "./painter";
import { type View, hintLine, hintText, whereabouts } from "./whereabouts";

/** The name of the context that the keys depend on: "inline" or "drawn" while an edit is shown. */
const CONTEXT = "midfill.nextEdit";

export class Presenter implements vscode.Disposable {
  private readonly painter = new Painter();
  private isPainted = false;
  private context: string | undefined;

  constructor(private readonly statusBar: StatusBar) {}

  /** Show an edit in place of the one before; undefined shows none. */
  show(edit: Offered | undefined): void {
    const active = vscode.window.activeTextEditor;
    const document = edit?.way === "drawn" ? openDocument(edit.uri) : undefined;
    const drawing = edit && document && drawingOf(edit, document, active?.options);
    const hint = drawing && active && hintOf(drawing, document, active);
    if (drawing || this.isPainted) {
      for (const editor of vscode.window.visibleTextEditors) {
        const isOfEdit = editor.document === document;
        this.painter.paint(editor, isOfEdit ? drawing : undefined, editor === active ? hint : undefined);
      }
      this.isPainted = drawing !== undefined;
      this.statusBar.showNextEdit(hint?.text);
    }
    this.setContext(hint ? "drawn" : edit?.way === "inline" ? "inline" : undefined);
  }

  dispose(): void {
    this.painter.dispose();
  }

  private setContext(context: string | undefined): void {
    if (context !== this.context) {
      this.context = context;
      void vscode.commands.executeCommand("setContext", CONTEXT, context);
    }
  }
}

function drawingOf(
  { changes }: Offered,
  document: vscode.TextDocument,
  options: vscode.TextEditorOptions | undefined,
): Drawing {
  return draw(changes, document.getText(), eolOf(document), Number(options?.tabSize ?? 4));
}

/** Return the hint for the active editor; undefined if it shows nothing. */
function hintOf(drawing: Drawing, document: vscode.TextDocument, active: vscode.TextEditor): Hint | undefined {
  const [visible] = active.visibleRanges;
  if (!visible) {
    return undefined;
  }
  const view: View = {
    cursorLine: active.selection.active.line,
    firstVisible: visible.start.line,
    lastVisible: visible.end.line,
  };
  const where = whereabouts(drawing, active.document === document ? view : undefined);
  const text = hintText(where, drawing, basename(document.uri.path));
  return { line: hintLine(where, drawing, view, stickyLines(active)), text };
}

/** How many lines VS Code's sticky scroll can cover. */
function stickyLines({ document }: vscode.TextEditor): number {
  const sticky = vscode.workspace.getConfiguration("editor.stickyScroll", document);
  return sticky.get<boolean>("enabled", true) ? sticky.get("maxLineCount", 5) : 0;
}
