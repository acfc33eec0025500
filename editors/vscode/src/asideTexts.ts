/** Texts beside the code: read-only, and never to be saved. */

import * as vscode from "vscode";

/** Not that of the texts which the server itself gives an editor. */
export const SCHEME = "midfill-text";

export class AsideTexts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event; // to be there when it is registered
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly texts = new Map<string, string>();

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this.texts.get(path) ?? "";
  }

  /** Show a text, in place of the last one of that name; the name's suffix gives it a language. */
  async show(name: string, text: string): Promise<vscode.TextEditor> {
    this.put(name, text);
    const uri = uriOf(name);
    const shown = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    const document = await vscode.workspace.openTextDocument(uri);
    return vscode.window.showTextDocument(document, shown?.viewColumn ?? vscode.ViewColumn.Beside, true);
  }

  /** Add a line to a text that is shown. */
  append(name: string, line: string): void {
    const before = this.texts.get(name);
    this.put(name, before ? `${before}\n${line}` : line);
  }

  /** Show another text under a name that is shown. */
  change(name: string, text: string): void {
    this.put(name, text);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  private put(name: string, text: string): void {
    this.texts.set(name, text);
    this.changed.fire(uriOf(name));
  }
}

function uriOf(name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: name });
}
