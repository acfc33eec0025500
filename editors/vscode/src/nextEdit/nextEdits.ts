/** The next edit in the editor: asks the server, shows what it answers, and applies it. */

import * as vscode from "vscode";

import type { GhostText } from "../client/ghostText";
import { isSupported } from "../common/documentSelector";
import * as settings from "../common/settings";
import type { Pauses } from "../ui/pauses";
import { type WireEdit, changesOf, endOf } from "./edit";
import { inlineItem } from "./inlineItem";
import type { Messages } from "./messages";
import { Moves, PAUSE_MS } from "./moments";
import { Offer, type Offered } from "./offer";
import { type Presenter, eolOf, openDocument, uriOf } from "./presenter";

export class NextEdits implements vscode.Disposable {
  private readonly offer = new Offer();
  private readonly moves = new Moves();
  private readonly subscriptions: readonly vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private asking: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly messages: Messages,
    private readonly ghostText: GhostText,
    private readonly pauses: Pauses,
    private readonly presenter: Presenter,
  ) {
    this.subscriptions = [
      presenter,
      vscode.workspace.onDidChangeTextDocument((event) => this.onChange(event)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.onClose(uri)),
      vscode.workspace.onDidChangeConfiguration(() => this.onConfiguration()),
      vscode.window.onDidChangeTextEditorSelection((event) => this.onMove(event)),
      vscode.window.onDidChangeTextEditorVisibleRanges(() => this.show()),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.onFocus(editor)),
    ];
  }

  /**
   * Return the inline completion items at a position, if the edit decides about them: itself, or none at a line where
   * it is drawn. Undefined if ghost text is free to appear.
   */
  itemsInstead(document: vscode.TextDocument, position: vscode.Position): vscode.InlineCompletionItem[] | undefined {
    const edit = this.offer.current;
    if (edit?.uri !== uriOf(document) || edit.version !== document.version) {
      return undefined;
    }
    if (edit.way === "drawn") {
      return isAt(edit, document, position.line) ? [] : undefined;
    }
    const found = inlineItem(edit.changes, document.getText(), document.offsetAt(position), eolOf(document));
    const range = found && new vscode.Range(document.positionAt(found.start), document.positionAt(found.end));
    return found && [{ insertText: found.text, ...(range && { range }), command: commandOf(edit.item) }];
  }

  /** Go to the edit, or apply it if the cursor is there already. */
  async accept(): Promise<void> {
    const edit = this.offer.current;
    const document = edit && openDocument(edit.uri);
    const editor = vscode.window.activeTextEditor;
    if (!edit || document?.version !== edit.version) {
      this.offer.withdraw();
      this.show();
    } else if (editor?.document === document && isAt(edit, document, editor.selection.active.line)) {
      await apply(edit, editor);
    } else {
      await goTo(edit, document);
    }
  }

  /** Withdraw the edit for good. */
  async dismiss(): Promise<void> {
    this.cancel();
    const wasInline = this.offer.current?.way === "inline";
    this.offer.dismiss();
    this.show();
    if (wasInline) {
      await vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
    }
  }

  dispose(): void {
    this.cancel();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private onChange({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (!contentChanges.length || !isSupported(document)) {
      return; // it was saved, or it is the log
    }
    this.cancel();
    this.moves.changed(Date.now());
    const effect = this.offer.changed(uriOf(document), document.version, contentChanges);
    this.show();
    if (effect !== "kept" && document === vscode.window.activeTextEditor?.document) {
      this.ask(effect === "completed" ? 0 : PAUSE_MS);
    }
  }

  private onMove({ textEditor: editor, kind }: vscode.TextEditorSelectionChangeEvent): void {
    if (editor !== vscode.window.activeTextEditor) {
      return;
    }
    const { document, selection } = editor;
    const cursor = { uri: uriOf(document), version: document.version, line: selection.active.line };
    const isMoved = this.moves.moved(cursor, Date.now());
    const edit = this.offer.current;
    if (edit?.way === "inline" && !this.itemsInstead(document, selection.active)) {
      this.offer.drawFromNowOn();
    }
    this.show();
    if (isMoved && !edit && kind !== vscode.TextEditorSelectionChangeKind.Command) {
      this.ask(PAUSE_MS);
    }
  }

  private onFocus(editor: vscode.TextEditor | undefined): void {
    this.cancel();
    if (editor && settings.isNextEditOn() && isSupported(editor.document)) {
      this.messages.didFocus(editor.document);
    }
    this.show();
  }

  private onClose(uri: vscode.Uri): void {
    if (this.offer.current?.uri === uri.toString()) {
      this.offer.withdraw();
      this.show();
    }
  }

  private onConfiguration(): void {
    if (!settings.isNextEditOn()) {
      this.cancel();
      this.offer.withdraw();
    }
    this.show();
  }

  /** Ask after a delay, unless something happens before. */
  private ask(delay: number): void {
    this.cancel();
    if (settings.isNextEditOn()) {
      this.timer = setTimeout(() => void this.askNow(), delay);
    }
  }

  private cancel(): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
  }

  private async askNow(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !this.isWanted(editor.document)) {
      return;
    }
    const asking = new vscode.CancellationTokenSource();
    this.asking = asking;
    await this.ghostText.settled();
    if (asking.token.isCancellationRequested) {
      return;
    }
    const item = await this.messages.nextEdit(editor.document, editor.selection.active, asking.token);
    if (item && !asking.token.isCancellationRequested && this.accepts(item, editor)) {
      this.messages.didShow(item);
      this.show();
      if (this.offer.current?.way === "inline") {
        await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
      }
    }
  }

  /** Offer an edit, unless it is stale, where ghost text is, or not wanted; returns whether it is offered. */
  private accepts(item: WireEdit, editor: vscode.TextEditor): boolean {
    const uri = vscode.Uri.parse(item.textDocument.uri).toString();
    const document = openDocument(uri);
    if (document?.version !== item.textDocument.version || !this.isWanted(document)) {
      return false;
    }
    const text = document.getText();
    const changes = changesOf(item, text, eolOf(document));
    const cursor = editor.selection.active;
    const isHere = document === editor.document;
    const { isGhostTextOn } = this.pauses.stateOf(document);
    const isItem = isHere && isGhostTextOn && inlineItem(changes, text, document.offsetAt(cursor), eolOf(document));
    const edit: Offered = { uri, version: document.version, changes, way: isItem ? "inline" : "drawn", item };
    const meetsGhostText =
      isHere && (isItem || isAt(edit, document, cursor.line)) && this.ghostText.isAt(document, cursor.line);
    return changes.length > 0 && !meetsGhostText && this.offer.make(edit);
  }

  private isWanted(document: vscode.TextDocument): boolean {
    return isSupported(document) && !this.pauses.isPausedByUser(document);
  }

  private show(): void {
    this.presenter.show(this.offer.current);
  }
}

/** Apply an edit at the cursor, as one step of undo, and leave the cursor behind it. */
async function apply({ changes, item }: Offered, editor: vscode.TextEditor): Promise<void> {
  const { document } = editor;
  const applied = await editor.edit((builder) => {
    for (const change of changes) {
      const range = new vscode.Range(document.positionAt(change.start), document.positionAt(endOf(change)));
      builder.replace(range, change.newText);
    }
  });
  if (applied) {
    const grown = changes.map(({ oldText, newText }) => newText.length - oldText.length);
    const end = document.positionAt(grown.reduce((sum, one) => sum + one, endOf(changes.at(-1)!)));
    editor.selection = new vscode.Selection(end, end);
    const { command, arguments: args } = commandOf(item);
    await vscode.commands.executeCommand(command, ...args);
  }
}

async function goTo({ changes }: Offered, document: vscode.TextDocument): Promise<void> {
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  const editor = await vscode.window.showTextDocument(document, shown?.viewColumn);
  const place = document.positionAt(changes[0]?.start ?? 0);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function commandOf({ command }: WireEdit): { title: string; command: string; arguments: unknown[] } {
  return { ...command, arguments: [...command.arguments] };
}

function isAt({ changes }: Offered, document: vscode.TextDocument, line: number): boolean {
  const [first, last] = [changes.at(0), changes.at(-1)];
  return (
    first !== undefined &&
    last !== undefined &&
    document.positionAt(first.start).line <= line &&
    line <= document.positionAt(endOf(last)).line
  );
}