/** Messages that the server sends to the user (`window/showMessage`). */

import { MessageType, type ShowMessageParams } from "vscode-languageclient/node";

import { BUTTONS, notify } from "../ui/notifications";
import type { StatusBar } from "../ui/statusBar";

/** Show a message as a notification; an error also stays in the status bar. */
export function showServerMessage({ type, message }: ShowMessageParams, statusBar: StatusBar): void {
  if (type === MessageType.Error) {
    statusBar.show({ kind: "error", message });
    void notify("error", message, [BUTTONS.getModel, BUTTONS.restart, BUTTONS.doctor]);
  } else {
    void notify(type === MessageType.Warning ? "warning" : "information", message);
  }
}
