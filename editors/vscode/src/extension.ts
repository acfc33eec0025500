/** Midfill in VS Code: what starts when, and which command does what. */

import * as path from "node:path";
import * as vscode from "vscode";

import { Answers, askForWords } from "./answers";
import { AsideTexts, SCHEME } from "./asideTexts";
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
  const answers = new Answers(texts);
  const current = new Session(context, log, statusBar, pauses, answers, environment);
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
  const ask = async (command: string, ...args: unknown[]): Promise<unknown> => {
    try {
      return await current.ask(command, args);
    } catch (error) {
      void vscode.window.showWarningMessage(`Midfill: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const showAnswer = async (name: string, command: string, ...args: unknown[]): Promise<void> => {
    const text = await ask(command, ...args);
    if (typeof text === "string") {
      await texts.show(name, text);
    }
  };
  // A question is about the code that is worked on; in an answer, and without any code, it goes on from the answer.
  const askQuestion = async (): Promise<void> => {
    const editor = vscode.window.activeTextEditor;
    const place = editor && editor.document.uri.scheme !== SCHEME ? current.place(editor) : undefined;
    const text = await askForWords(place ? "Ask about this code" : "Ask a question that goes on from the answer");
    if (text) {
      await answers.toQuestion(text, !place, () => ask("midfill.ask", { text, ...place }));
    }
  };
  const explain = async (): Promise<void> => {
    const editor = vscode.window.activeTextEditor;
    const place = editor && current.place(editor);
    if (place) {
      await ask("midfill.do", { action: "explain", ...place });
    }
  };
  const commands: Record<string, (...args: never[]) => unknown> = {
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
    explainCode: () => explain(),
    askQuestion: () => askQuestion(),
    // An action of the light bulb's menu that needs words; the server names it so.
    input: async (wanted: Record<string, unknown>) => {
      const instruction = await askForWords(wanted.action === "ask" ? "Ask about this code" : "What is to be written?");
      await (instruction && ask("midfill.do", { ...wanted, instruction }));
    },
    installServer: async () => {
      await current.stop(); // Windows does not let go of programs that run
      await installServer(context, environment, log);
      await current.restart();
    },
    installModel: () =>
      withServer(async (server) => (await installModel(server, log)) && current.restart()),
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
