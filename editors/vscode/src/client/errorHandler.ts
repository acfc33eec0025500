/** What the client does when the connection to the server fails or closes. */

import { CloseAction, ErrorAction, type ErrorHandler } from "vscode-languageclient/node";

import { BUTTONS, notify } from "../ui/notifications";
import type { StatusBar } from "../ui/statusBar";
import { RestartPolicy } from "./restartPolicy";

/** `isRunning` tells whether the server had answered `initialize` before the connection closed. */
export function createErrorHandler(isRunning: () => boolean, statusBar: StatusBar): ErrorHandler {
  const policy = new RestartPolicy();
  return {
    error: () => ({ action: ErrorAction.Continue, handled: true }),
    closed: () => {
      if (!isRunning()) {
        // A server that ended while it started would most likely do so again.
        return { action: CloseAction.DoNotRestart, handled: true };
      }
      if (policy.shouldRestart(Date.now())) {
        statusBar.show({ kind: "starting" });
        return { action: CloseAction.Restart, handled: true, message: "The server ended. It is being restarted." };
      }
      const message = "The server ended five times in three minutes and stays stopped";
      statusBar.show({ kind: "error", message });
      void notify("error", `${message}.`, [BUTTONS.restart, BUTTONS.showLog, BUTTONS.doctor]);
      return { action: CloseAction.DoNotRestart, handled: true, message };
    },
  };
}
