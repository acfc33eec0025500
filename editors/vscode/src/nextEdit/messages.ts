/** The messages about edits between the extension and the server; docs/plugin-protocol.md describes them. */

import * as vscode from "vscode";

import type { Session } from "../client/session";
import type { WireEdit } from "./edit";

export class Messages {
  constructor(private readonly session: Session) {}

  /** Return the edit that the server predicts for a cursor; undefined if it has none, or cannot say. */
  async nextEdit(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<WireEdit | undefined> {
    const diagnostics = vscode.languages.getDiagnostics(document.uri);
    const params = {
      textDocument: { uri: this.session.uriOf(document), version: document.version },
      position: plain(position),
      context: { diagnostics: diagnostics.map(({ range, message }) => ({ range: plainRange(range), message })) },
    };
    try {
      const answer = await this.session.request("textDocument/copilotInlineEdit", params, token);
      return (answer as { edits: WireEdit[] }).edits[0];
    } catch {
      return undefined; // it was cancelled, or the server ended: the next key asks again
    }
  }

  didShow(item: WireEdit): void {
    void this.session.notify("textDocument/didShowInlineEdit", { item });
  }

  async didAccept({ command: { command, arguments: args } }: WireEdit): Promise<void> {
    await this.execute(command, args);
  }

  async didDismiss({ command: { arguments: args } }: WireEdit): Promise<void> {
    await this.execute("midfill.nextEditDismissed", args);
  }

  didFocus(document: vscode.TextDocument): void {
    void this.session.notify("textDocument/didFocus", { textDocument: { uri: this.session.uriOf(document) } });
  }

  private async execute(command: string, args: readonly unknown[]): Promise<void> {
    try {
      await this.session.executeCommand(command, args);
    } catch {
      // The server ended, and what it knew of the edit with it.
    }
  }
}

function plain({ line, character }: vscode.Position): { line: number; character: number } {
  return { line, character };
}

function plainRange({ start, end }: vscode.Range): { start: object; end: object } {
  return { start: plain(start), end: plain(end) };
}
