/** Registers the extension's commands. package.json declares them. */

import * as vscode from "vscode";

import type { Session } from "../client/session";
import type { StreamedText } from "../client/streamedText";
import { getModel } from "../model/getModel";
import { switchModel } from "../model/switchModel";
import * as settings from "../common/settings";
import type { NextEdits } from "../nextEdit/nextEdits";
import type { ServerInstaller } from "../server/installer";
import { showMenu } from "../ui/menu";
import type { Pauses } from "../ui/pauses";
import type { StatusBar } from "../ui/statusBar";
import type { VirtualDocuments } from "../ui/virtualDocuments";
import { Questions } from "./questions";
import { Reports } from "./reports";

/** The parts of the extension that commands work with. */
export interface CommandParts {
  readonly session: Session;
  readonly installer: ServerInstaller;
  readonly documents: VirtualDocuments;
  readonly nextEdits: NextEdits;
  readonly pauses: Pauses;
  readonly statusBar: StatusBar;
  readonly streamedText: StreamedText;
  readonly log: vscode.LogOutputChannel;
}

export function registerCommands(parts: CommandParts): vscode.Disposable[] {
  const { session, installer, documents, nextEdits, pauses, statusBar, streamedText, log } = parts;
  const questions = new Questions(session, streamedText);
  const reports = new Reports(session, documents);

  const withServer = async (work: (program: string) => Promise<void>): Promise<void> => {
    const server = installer.findServer();
    await (server.kind === "found" ? work(server.program) : installer.offer(server.reason));
  };
  const changePause = async (change: (document: vscode.TextDocument) => Promise<void>): Promise<void> => {
    const document = vscode.window.activeTextEditor?.document;
    if (document) {
      await change(document);
      statusBar.refresh();
      // The menu may have taken the focus.
      await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
    }
  };
  const handlers: Record<string, (...args: never[]) => unknown> = {
    menu: () => showMenu(pauses, statusBar.problem),
    toggleFile: () => changePause((document) => pauses.toggleFile(document)),
    toggleLanguage: () => changePause((document) => pauses.toggleLanguage(document)),
    turnOnGhostText,
    acceptNextEdit: () => nextEdits.accept(),
    dismissNextEdit: () => nextEdits.dismiss(),
    toggleNextEdit: () => settings.setNextEditOn(!settings.isNextEditOn()),
    explainCode: () => questions.explainCode(),
    askQuestion: () => questions.askQuestion(),
    input: (action: Record<string, unknown>) => questions.runActionWithInput(action),
    showWhy: () => reports.showWhy(),
    showStatistics: () => reports.showStatistics(),
    doctor: () => withServer((program) => reports.showDoctor(program)),
    showLog: () => log.show(),
    restart: () => session.restart(),
    switchModel,
    installServer: async () => {
      await session.stop(); // Windows cannot replace a program that is running
      await installer.install();
      await session.restart();
    },
    installModel: () =>
      withServer(async (program) => {
        if (await getModel(program, log)) {
          await session.restart();
        }
      }),
  };
  return Object.entries(handlers).map(([name, handler]) => vscode.commands.registerCommand(`midfill.${name}`, handler));
}

async function turnOnGhostText(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration("editor");
  await configuration.update("inlineSuggest.enabled", true, vscode.ConfigurationTarget.Global);
}
