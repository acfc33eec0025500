/** A text beside the code that grows line by line: read-only, and never to be saved. */

import * as vscode from "vscode";

const SCHEME = "midfill";

export class LiveDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event; // to be there when it is registered
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private readonly uri: vscode.Uri;
  private lines: string[] = [];

  constructor(name: string) {
    this.uri = vscode.Uri.from({ scheme: SCHEME, path: name });
  }

  provideTextDocumentContent(): string {
    return this.lines.join("\n");
  }

  /** Begin anew, and show it beside the code. */
  async open(): Promise<void> {
    this.replace([]);
    const document = await vscode.workspace.openTextDocument(this.uri);
    await vscode.window.showTextDocument(document, vscode.ViewColumn.Beside, true);
  }

  append(line: string): void {
    this.replace([...this.lines, line]);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  private replace(lines: string[]): void {
    this.lines = lines;
    this.changed.fire(this.uri);
  }
}
