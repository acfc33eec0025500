/** Asks the server for an edit when nothing happens for a while. */

import * as vscode from "vscode";

import type { GhostText } from "../client/ghostText";
import type { WireEdit } from "./edit";
import type { Messages } from "./messages";

/** Asks one question at a time; the next key ends it. */
export class Asker {
  private timer: NodeJS.Timeout | undefined;
  private asking: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly messages: Messages,
    private readonly ghostText: GhostText,
    /** Gets the answer, if it still counts, and the editor that was asked for. */
    private readonly onAnswer: (item: WireEdit, editor: vscode.TextEditor) => void,
  ) {}

  /** Ask for an editor after a delay in milliseconds, and not before ghost text is there. */
  ask(editor: vscode.TextEditor, delay: number): void {
    this.cancel();
    const asking = new vscode.CancellationTokenSource();
    this.asking = asking;
    this.timer = setTimeout(() => void this.askNow(editor, asking), delay);
  }

  /** End the question; its answer no longer counts. */
  cancel(): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
  }

  private async askNow(editor: vscode.TextEditor, asking: vscode.CancellationTokenSource): Promise<void> {
    await this.ghostText.settled();
    if (this.asking !== asking) {
      return;
    }
    const item = await this.messages.nextEdit(editor.document, editor.selection.active, asking.token);
    if (item && this.asking === asking) {
      this.onAnswer(item, editor);
    }
  }
}
