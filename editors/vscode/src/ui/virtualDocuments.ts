/** Read-only documents that the extension opens beside the code. They are not files, and cannot be saved. */

import * as vscode from "vscode";

/** The scheme of their URIs. The server has another one, for documents of its own. */
export const SCHEME = "midfill-text";

export class VirtualDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changes.event; // the registration below needs it
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly texts = new Map<string, string>();

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this.texts.get(path) ?? "";
  }

  /** Open a document, or replace its text if it is open. The file name extension of `name` decides its language. */
  async show(name: string, text: string): Promise<vscode.TextEditor> {
    this.update(name, text);
    const uri = uriOf(name);
    const shown = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    const document = await vscode.workspace.openTextDocument(uri);
    return vscode.window.showTextDocument(document, shown?.viewColumn ?? vscode.ViewColumn.Beside, true);
  }

  /** Add a line to a document. */
  append(name: string, line: string): void {
    const before = this.texts.get(name);
    this.update(name, before ? `${before}\n${line}` : line);
  }

  /** Replace the text of a document, which need not be open. */
  update(name: string, text: string): void {
    this.texts.set(name, text);
    this.changes.fire(uriOf(name));
  }

  dispose(): void {
    this.registration.dispose();
    this.changes.dispose();
  }
}

function uriOf(name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: name });
}
