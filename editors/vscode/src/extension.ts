/** Midfill in VS Code: what starts when, and which command does what. */

import * as path from "node:path";
import * as vscode from "vscode";

import { AsideTexts } from "./asideTexts";
import { switchModel } from "./bundles";
import { examine } from "./doctor";
import { installModel, installServer, isOutdated } from "./install";
import { showMenu } from "./menu";
import { Pauses } from "./pauses";
import { Session } from "./session";
import { concernsProcess, concernsServer } from "./settings";
import { StatusBar } from "./statusBar";

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const { extension, subscriptions } = context;
  const environment = path.join(context.globalStorageUri.fsPath, "server");
  const log = vscode.window.createOutputChannel("Midfill", { log: true });
  const texts = new AsideTexts();
  const pauses = new Pauses(context.workspaceState);
  const statusBar = new StatusBar(pauses);
  const current = new Session(context, log, statusBar, pauses, environment);
  session = current;

  const withServer = async (work: (server: string) => Promise<unknown>): Promise<void> => {
    const server = current.find();
    await (server.kind === "found" ? work(server.program) : offerInstallation(server.why));
  };
  const withDocument = async (work: (document: vscode.TextDocument) => Promise<void>): Promise<void> => {
    const document = vscode.window.activeTextEditor?.document;
    if (document) {
      await work(document);
      statusBar.refresh();
      await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup"); // the menu left it elsewhere
    }
  };
  // The client itself registers what the server offers, by the server's names; ours have others.
  const showAnswer = async (name: string, command: string, ...args: unknown[]): Promise<void> => {
    try {
      await texts.show(name, await current.ask(command, args));
    } catch (error) {
      void vscode.window.showWarningMessage(`Midfill: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const commands: Record<string, () => unknown> = {
    menu: () => showMenu(pauses, statusBar.problem),
    toggleFile: () => withDocument((document) => pauses.toggleFile(document)),
    toggleLanguage: () => withDocument((document) => pauses.toggleLanguage(document)),
    turnOnGhostText: () => turnOnGhostText(),
    restart: () => current.restart(),
    switchModel: () => switchModel(),
    doctor: () => withServer((server) => examine(server, texts)),
    showWhy: () => showAnswer("Midfill Why.md", "midfill.why", 1),
    showStatistics: () => showAnswer("Midfill Statistics", "midfill.statistics"),
    showLog: () => log.show(),
    installServer: async () => {
      await current.stop(); // Windows does not let go of programs that run
      await installServer(context, environment, log);
      await current.restart();
    },
    installModel: () =>
      withServer(async (server) => (await installModel(extension, environment, server, log)) && current.restart()),
  };
  for (const [name, command] of Object.entries(commands)) {
    subscriptions.push(vscode.commands.registerCommand(`midfill.${name}`, command));
  }
  subscriptions.push(
    log,
    texts,
    statusBar,
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (concernsProcess(change)) {
        void current.restart();
      } else if (concernsServer(change, extension)) {
        void current.configure();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void current.restart()), // whose settings count from now on
  );

  void current.restart(); // not waited for: the commands must be there also when a server does not answer
  const server = current.find();
  if (server.kind === "missing") {
    void offerInstallation(server.why);
  } else if (server.by === "environment" && (await isOutdated(context))) {
    void offerUpdate();
  }
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

/** Say that there is no server, and what can be done about it. */
async function offerInstallation(why: string): Promise<void> {
  const commands = new Map<string, [string, ...string[]]>([
    ["Install It", ["midfill.installServer"]],
    ["Set Its Path", ["workbench.action.openSettings", "midfill.server.path"]],
    ["First Steps", ["workbench.action.openWalkthrough", "midfill.midfill#start"]],
  ]);
  const chosen = await vscode.window.showWarningMessage(`${why}.`, ...commands.keys());
  const [command, ...args] = (chosen && commands.get(chosen)) ?? [];
  if (command) {
    await vscode.commands.executeCommand(command, ...args);
  }
}

async function offerUpdate(): Promise<void> {
  const chosen = await vscode.window.showInformationMessage("This extension brings another Midfill server.", "Install It");
  if (chosen) {
    await vscode.commands.executeCommand("midfill.installServer");
  }
}

async function turnOnGhostText(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration("editor");
  await configuration.update("inlineSuggest.enabled", true, vscode.ConfigurationTarget.Global);
}
