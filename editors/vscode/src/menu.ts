/** The menu behind the status bar item. */

import * as vscode from "vscode";

import type { Pauses } from "./pauses";
import type { Problem } from "./status";

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
  readonly arguments?: readonly unknown[];
}

/** Show what can be done now, and do what is chosen; `problem` is what keeps the server from working, if anything. */
export async function showMenu(pauses: Pauses, problem: Problem | undefined): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const entries: Entry[] = [
    ...(problem ? problemEntries(problem) : []),
    ...(document ? pauseEntries(pauses, document) : []),
    { label: "$(comment-discussion) Ask…", description: "about this code", command: "midfill.askQuestion" },
    { label: "$(arrow-swap) Switch model…", command: "midfill.switchModel" },
    { label: "$(debug-restart) Restart", command: "midfill.restart" },
    { label: "$(question) Why?", description: "the last prompt, and what became of it", command: "midfill.showWhy" },
    { label: "$(graph) Statistics", command: "midfill.showStatistics" },
    { label: "$(pulse) Doctor", description: "check the installation", command: "midfill.doctor" },
    { label: "$(output) Show log", command: "midfill.showLog" },
    { label: "$(gear) Settings", command: "workbench.action.openSettings", arguments: ["@ext:midfill.midfill"] },
  ];
  const chosen = await vscode.window.showQuickPick(entries, { title: "Midfill" });
  if (chosen?.command) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.arguments ?? []));
  }
}

function problemEntries({ kind, message }: Problem): Entry[] {
  return kind === "missing"
    ? [{ label: "$(cloud-download) Install the server", detail: message, command: "midfill.installServer" }]
    : [
        { label: "$(error) What is wrong?", detail: message, command: "midfill.showLog" },
        { label: "$(cloud-download) Get a model…", command: "midfill.installModel" },
      ];
}

function pauseEntries(pauses: Pauses, document: vscode.TextDocument): Entry[] {
  const reason = pauses.reason(document);
  if (reason === "place") {
    return []; // what is not at work cannot be paused
  }
  const file = pauses.isFilePaused(document) ? "$(play) Resume" : "$(debug-pause) Pause";
  const language = pauses.isLanguagePaused(document) ? "$(play) Resume" : "$(debug-pause) Pause";
  const entries = [
    { label: `${file} in this file`, command: "midfill.toggleFile" },
    { label: `${language} for ${document.languageId}`, command: "midfill.toggleLanguage" },
  ];
  if (reason === "editor") {
    const off = "editor.inlineSuggest.enabled";
    return [{ label: "$(play) Turn on ghost text", description: off, command: "midfill.turnOnGhostText" }, ...entries];
  }
  return entries;
}
