/** The next edit in the editor: when the server is asked, and what becomes of its answer. */

import * as vscode from "vscode";

import type { GhostText } from "../client/ghostText";
import { isSupported } from "../common/documentSelector";
import * as settings from "../common/settings";
import type { Pauses } from "../ui/pauses";
import { Asker } from "./asker";
import { apply, canBeShown, eolOf, goTo, isAt, itemAt, openDocument, uriOf } from "./documents";
import { type WireEdit, changesOf } from "./edit";
import type { Messages } from "./messages";
import { AFTER_EDIT_MS, Moves, PAUSE_MS } from "./moments";
import { Offer, type Offered } from "./offer";
import type { Presenter } from "./presenter";

export class NextEdits implements vscode.Disposable {
  private readonly offer = new Offer();
  private readonly moves = new Moves();
  private readonly asker: Asker;
  private readonly subscriptions: readonly { dispose(): unknown }[];

  constructor(
    private readonly messages: Messages,
    private readonly ghostText: GhostText,
    private readonly pauses: Pauses,
    private readonly presenter: Presenter,
  ) {
    this.asker = new Asker(messages, ghostText, (item, editor) => this.onAnswer(item, editor));
    this.subscriptions = [
      presenter,
      vscode.workspace.onDidChangeTextDocument((event) => this.onChange(event)),
      vscode.workspace.onDidCloseTextDocument((document) => this.onClose(document)),
      vscode.workspace.onDidChangeConfiguration(() => this.onConfiguration()),
      vscode.window.onDidChangeTextEditorSelection((event) => this.onMove(event)),
      vscode.window.onDidChangeTextEditorVisibleRanges(() => this.show()),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.onFocus(editor)),
    ];
  }

  /**
   * Return the inline completion items at a position, if the edit decides about them: itself, or none at a line where
   * it is drawn. Undefined if ghost text is free to appear. If the user invokes ghost text where an edit is drawn, the
   * edit goes.
   */
  itemsInstead(
    document: vscode.TextDocument,
    position: vscode.Position,
    isInvoked: boolean,
  ): vscode.InlineCompletionItem[] | undefined {
    const edit = this.offer.current;
    if (edit?.uri !== uriOf(document) || edit.version !== document.version) {
      return undefined;
    }
    if (edit.way === "inline") {
      const item = itemAt(edit, document, position);
      return item && [item];
    }
    if (!isAt(edit, document, position.line)) {
      return undefined;
    }
    if (isInvoked) {
      this.withdraw();
      return undefined;
    }
    return [];
  }

  /** Go to the edit, or apply it if the cursor is there already. */
  async accept(): Promise<void> {
    const edit = this.offer.current;
    const document = edit && openDocument(edit.uri);
    const editor = vscode.window.activeTextEditor;
    if (document?.version !== edit?.version) {
      this.withdraw(); // it is stale
    } else if (edit && document && editor?.document === document && isAt(edit, document, editor.selection.active.line)) {
      if (await apply(edit, editor)) {
        await this.messages.didAccept(edit.item);
      }
    } else if (edit && document) {
      await goTo(edit, document);
    }
  }

  /** Withdraw the edit; the server does not offer it again. */
  async dismiss(): Promise<void> {
    const dismissed = this.offer.current;
    this.asker.cancel();
    this.withdraw();
    if (dismissed?.way === "inline") {
      await vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
    }
    if (dismissed) {
      await this.messages.didDismiss(dismissed.item);
    }
  }

  dispose(): void {
    this.asker.cancel();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private onChange({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (!contentChanges.length || !isSupported(document)) {
      return; // it was saved, or it is the log
    }
    this.asker.cancel();
    this.moves.changed(Date.now());
    const effect = this.offer.changed(uriOf(document), document.version, contentChanges);
    this.show();
    if (effect !== "kept" && document === vscode.window.activeTextEditor?.document) {
      this.ask(effect === "completed" ? AFTER_EDIT_MS : PAUSE_MS);
    }
  }

  private onMove({ textEditor, kind }: vscode.TextEditorSelectionChangeEvent): void {
    if (textEditor !== vscode.window.activeTextEditor) {
      return;
    }
    const { document, selection } = textEditor;
    const cursor = { uri: uriOf(document), version: document.version, line: selection.active.line };
    const move = this.moves.moved(cursor);
    if (move !== "none") {
      this.offer.drawFromNowOn(); // VS Code removes ghost text when the cursor moves
    }
    this.show();
    const isByUser = kind !== vscode.TextEditorSelectionChangeKind.Command;
    if (move === "elsewhere" && isByUser && !this.offer.current && this.moves.isSoonAfterChange(Date.now())) {
      this.ask(PAUSE_MS);
    }
  }

  private onFocus(editor: vscode.TextEditor | undefined): void {
    this.asker.cancel();
    if (editor && settings.isNextEditOn() && isSupported(editor.document)) {
      this.messages.didFocus(editor.document);
    }
    this.show();
  }

  private onClose(document: vscode.TextDocument): void {
    if (this.offer.current?.uri === uriOf(document)) {
      this.withdraw();
    }
  }

  private onConfiguration(): void {
    if (!settings.isNextEditOn()) {
      this.asker.cancel();
      this.withdraw();
    }
  }

  /** Ask about the active editor after a delay. */
  private ask(delay: number): void {
    const editor = vscode.window.activeTextEditor;
    if (editor && settings.isNextEditOn() && this.isWanted(editor.document)) {
      this.asker.ask(editor, delay);
    }
  }

  private onAnswer(item: WireEdit, editor: vscode.TextEditor): void {
    if (this.accepts(item, editor)) {
      this.messages.didShow(item);
      this.show();
      if (this.offer.current?.way === "inline") {
        void vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
      }
    }
  }

  /** Offer an edit, unless it is stale, where ghost text is, or not wanted; returns whether it is offered. */
  private accepts(item: WireEdit, { document: asked, selection }: vscode.TextEditor): boolean {
    const uri = vscode.Uri.parse(item.textDocument.uri).toString();
    const document = openDocument(uri);
    if (document?.version !== item.textDocument.version || !this.isWanted(document)) {
      return false;
    }
    const changes = changesOf(item, document.getText(), eolOf(document));
    const edit: Offered = { uri, version: document.version, changes, way: "drawn", item };
    if (document !== asked) {
      return canBeShown(document) && this.make(edit);
    }
    const cursor = selection.active;
    const isItem = this.pauses.stateOf(document).isGhostTextOn && itemAt(edit, document, cursor) !== undefined;
    if ((isItem || isAt(edit, document, cursor.line)) && this.ghostText.isAt(document, cursor.line)) {
      return false;
    }
    return this.make({ ...edit, way: isItem ? "inline" : "drawn" });
  }

  private make(edit: Offered): boolean {
    this.offer.make(edit);
    return true;
  }

  private isWanted(document: vscode.TextDocument): boolean {
    return isSupported(document) && !this.pauses.isPausedByUser(document);
  }

  private withdraw(): void {
    this.offer.withdraw();
    this.show();
  }

  private show(): void {
    this.presenter.show(this.offer.current);
  }
}
