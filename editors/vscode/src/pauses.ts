/** Where the user wants no suggestions. */

import * as vscode from "vscode";

import { isServed } from "./documents";
import { pausedLanguages, setLanguagePaused } from "./settings";
import type { PauseReason } from "./status";

const FILES = "pausedFiles";

/** Which files and languages are paused: files for this workspace, languages by a setting. */
export class Pauses {
  constructor(private readonly memory: vscode.Memento) {}

  /** Why no suggestions come in a document, if they do not. */
  reason(document: vscode.TextDocument): PauseReason | undefined {
    if (!isServed(document)) {
      return "place";
    }
    if (this.files().includes(document.uri.toString())) {
      return "file";
    }
    if (pausedLanguages().includes(document.languageId)) {
      return "language";
    }
    return ghostTextIsOn(document) ? undefined : "editor";
  }

  isFilePaused(document: vscode.TextDocument): boolean {
    return this.files().includes(document.uri.toString());
  }

  isLanguagePaused(document: vscode.TextDocument): boolean {
    return pausedLanguages().includes(document.languageId);
  }

  /** Pause a file, or resume it. */
  async toggleFile(document: vscode.TextDocument): Promise<void> {
    const uri = document.uri.toString();
    const others = this.files().filter((file) => file !== uri);
    await this.memory.update(FILES, this.isFilePaused(document) ? others : [...others, uri]);
  }

  /** Pause a language, or resume it. */
  async toggleLanguage(document: vscode.TextDocument): Promise<void> {
    await setLanguagePaused(document.languageId, !this.isLanguagePaused(document));
  }

  private files(): readonly string[] {
    return this.memory.get<string[]>(FILES, []);
  }
}

function ghostTextIsOn(document: vscode.TextDocument): boolean {
  return vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled", true);
}
