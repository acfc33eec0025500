/** Runs programs that take long, with a notification that shows their progress and can cancel them. */

import * as vscode from "vscode";

import type { RunOptions } from "../common/runProgram";
import { BUTTONS, notify } from "./notifications";

const MAX_MESSAGE_LENGTH = 100;

/** Give `work` the options for its programs; returns whether it succeeded. A failure is shown and logged. */
export async function withProgress(
  title: string,
  log: vscode.LogOutputChannel,
  work: (options: RunOptions) => Promise<void>,
): Promise<boolean> {
  const location = vscode.ProgressLocation.Notification;
  try {
    await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      const onLine = (line: string): void => {
        log.info(line);
        progress.report({ message: line.slice(0, MAX_MESSAGE_LENGTH) });
      };
      await work({ signal: abort.signal, onLine });
    });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name !== "AbortError") {
      log.error(error.message);
      await notify("error", `${title} failed. ${error.message}`, [BUTTONS.showLog]);
    }
    return false;
  }
}
