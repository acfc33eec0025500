/** Which documents Midfill completes. */

import * as vscode from "vscode";

/** By the kinds of their addresses: the server reads no file but those on disk and what the editor hands it. */
export const DOCUMENTS = [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "vscode-notebook-cell" }];

/** Whether a document is one of them; a file of a virtual workspace, or one side of a comparison, is not. */
export function isServed(document: vscode.TextDocument): boolean {
  return vscode.languages.match(DOCUMENTS, document) > 0;
}
