/** The entries of the menu that a click on the status bar item opens. */

import { type PauseState, pauseReason } from "./pauseReason";
import type { Problem } from "./status";

export interface MenuEntry {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly command: string;
  readonly args?: readonly unknown[];
}

/** The document in the active editor. */
export interface ActiveDocument {
  readonly languageId: string;
  readonly pauses: PauseState;
}

const ALWAYS: readonly MenuEntry[] = [
  { label: "$(comment-discussion) Ask…", description: "about this code", command: "midfill.askQuestion" },
  { label: "$(arrow-swap) Switch model…", command: "midfill.switchModel" },
  { label: "$(debug-restart) Restart", command: "midfill.restart" },
  {
    label: "$(question) Why this suggestion?",
    description: "the last request: its result and its prompt",
    command: "midfill.showWhy",
  },
  { label: "$(graph) Statistics", command: "midfill.showStatistics" },
  { label: "$(pulse) Doctor", description: "check the installation", command: "midfill.doctor" },
  { label: "$(output) Show log", command: "midfill.showLog" },
  { label: "$(gear) Settings", command: "workbench.action.openSettings", args: ["@ext:midfill.midfill"] },
];

/** Return what the user can do now: first about a problem, then about pauses in the active document. */
export function menuEntries(
  problem: Problem | undefined,
  document: ActiveDocument | undefined,
  isNextEditOn: boolean,
): MenuEntry[] {
  return [
    ...(problem ? problemEntries(problem) : []),
    ...(document ? pauseEntries(document) : []),
    nextEditEntry(isNextEditOn),
    ...ALWAYS,
  ];
}

function nextEditEntry(isOn: boolean): MenuEntry {
  return {
    label: `$(edit) Turn ${isOn ? "off" : "on"} the next edit`,
    description: "the change that you are likely to make next",
    command: "midfill.toggleNextEdit",
  };
}

function problemEntries({ kind, message }: Problem): MenuEntry[] {
  return kind === "missing"
    ? [{ label: "$(cloud-download) Install the server", detail: message, command: "midfill.installServer" }]
    : [
        { label: "$(error) What is wrong?", detail: message, command: "midfill.showLog" },
        { label: "$(cloud-download) Get a model…", command: "midfill.installModel" },
      ];
}

function pauseEntries({ languageId, pauses }: ActiveDocument): MenuEntry[] {
  const reason = pauseReason(pauses);
  if (reason === "unsupported") {
    return []; // there are no suggestions to pause
  }
  const entries: MenuEntry[] = [
    { label: `${pauseOrResume(pauses.isFilePaused)} in this file`, command: "midfill.toggleFile" },
    { label: `${pauseOrResume(pauses.isLanguagePaused)} for ${languageId}`, command: "midfill.toggleLanguage" },
  ];
  if (reason === "ghostTextOff") {
    const setting = "editor.inlineSuggest.enabled";
    entries.unshift({ label: "$(play) Turn on ghost text", description: setting, command: "midfill.turnOnGhostText" });
  }
  return entries;
}

function pauseOrResume(isPaused: boolean): string {
  return isPaused ? "$(play) Resume" : "$(debug-pause) Pause";
}
