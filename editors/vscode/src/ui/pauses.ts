/** Where the user has paused suggestions: in files of this workspace, and for languages. */

import * as vscode from "vscode";

import { isSupported } from "../common/documentSelector";
import { pausedLanguages, setLanguagePaused } from "../common/settings";
import type { PauseState } from "./pauseReason";

/** The key under which VS Code remembers the paused files. */
const PAUSED_FILES = "pausedFiles";

/** Files are remembered for each workspace; languages are in the setting `midfill.pause.languages`. */
export class Pauses {
  constructor(private readonly workspaceState: vscode.Memento) {}

  stateOf(document: vscode.TextDocument): PauseState {
    return {
      isSupported: isSupported(document),
      isFilePaused: this.pausedFiles().includes(document.uri.toString()),
      isLanguagePaused: pausedLanguages().includes(document.languageId),
      isGhostTextOn: vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled", true),
    };
  }

  /**
   * Whether the user has paused the file or its language.
   *
   * `editor.inlineSuggest.enabled` does not count: an invoked suggestion is shown although that setting is off.
   */
  isPausedByUser(document: vscode.TextDocument): boolean {
    const { isFilePaused, isLanguagePaused } = this.stateOf(document);
    return isFilePaused || isLanguagePaused;
  }

  /** Pause suggestions in a file, or resume them. */
  async toggleFile(document: vscode.TextDocument): Promise<void> {
    const uri = document.uri.toString();
    const paused = this.pausedFiles();
    const changed = paused.includes(uri) ? paused.filter((file) => file !== uri) : [...paused, uri];
    await this.workspaceState.update(PAUSED_FILES, changed);
  }

  /** Pause suggestions for the language of a document, or resume them. */
  async toggleLanguage({ languageId }: vscode.TextDocument): Promise<void> {
    await setLanguagePaused(languageId, !pausedLanguages().includes(languageId));
  }

  private pausedFiles(): readonly string[] {
    return this.workspaceState.get<string[]>(PAUSED_FILES, []);
  }
}
