/** Notifications whose buttons run commands. */

import * as vscode from "vscode";

interface Button extends vscode.MessageItem {
  readonly command: string;
  readonly args?: readonly unknown[];
}

export const BUTTONS = {
  doctor: { title: "Doctor", command: "midfill.doctor" },
  firstSteps: { title: "First Steps", command: "workbench.action.openWalkthrough", args: ["midfill.midfill#start"] },
  getModel: { title: "Get a Model", command: "midfill.installModel" },
  getPython: {
    title: "Get Python",
    command: "vscode.open",
    args: [vscode.Uri.parse("https://www.python.org/downloads/")],
  },
  installServer: { title: "Install It", command: "midfill.installServer" },
  restart: { title: "Restart", command: "midfill.restart" },
  setServerPath: { title: "Set Its Path", command: "workbench.action.openSettings", args: ["midfill.server.path"] },
  showLog: { title: "Show Log", command: "midfill.showLog" },
} satisfies Record<string, Button>;

type Show = (message: string, ...buttons: Button[]) => Thenable<Button | undefined>;

const SHOW = {
  error: vscode.window.showErrorMessage as Show,
  warning: vscode.window.showWarningMessage as Show,
  information: vscode.window.showInformationMessage as Show,
};

/** Show a message, and run the command of the button that the user clicks. */
export async function notify(
  severity: keyof typeof SHOW,
  message: string,
  buttons: readonly Button[] = [],
): Promise<void> {
  const chosen = await SHOW[severity](message, ...buttons);
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.args ?? []));
  }
}
