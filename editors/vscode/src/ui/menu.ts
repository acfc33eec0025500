/** The menu that a click on the status bar item opens. */

import * as vscode from "vscode";

import { isNextEditOn } from "../common/settings";
import { menuEntries } from "./menuEntries";
import type { Pauses } from "./pauses";
import type { Problem } from "./status";

/** Show the menu and run the chosen command; `problem` is why the server cannot work, if it cannot. */
export async function showMenu(pauses: Pauses, problem: Problem | undefined): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const entries = menuEntries(
    problem,
    document && { languageId: document.languageId, pauses: pauses.stateOf(document) },
    isNextEditOn(),
  );
  const chosen = await vscode.window.showQuickPick(entries, { title: "Midfill" });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.args ?? []));
  }
}
