/** The documents that Midfill completes. */

import * as vscode from "vscode";

/** Files on disk, new files that are not saved yet, and cells of notebooks. */
export const DOCUMENT_SELECTOR = [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "vscode-notebook-cell" }];

/** Whether Midfill completes a document. A file of a virtual workspace, or the old side of a diff, is not supported. */
export function isSupported(document: vscode.TextDocument): boolean {
  return vscode.languages.match(DOCUMENT_SELECTOR, document) > 0;
}
