/** Entry points of the extension: they create its parts and connect them. */

import * as vscode from "vscode";

import { GhostText } from "./client/ghostText";
import { createLanguageClient } from "./client/languageClient";
import { Session } from "./client/session";
import { StreamedText } from "./client/streamedText";
import { registerCommands } from "./commands/register";
import { Messages } from "./nextEdit/messages";
import { NextEdits } from "./nextEdit/nextEdits";
import { Presenter } from "./nextEdit/presenter";
import { ServerInstaller } from "./server/installer";
import * as settings from "./common/settings";
import { Pauses } from "./ui/pauses";
import { StatusBar } from "./ui/statusBar";
import { VirtualDocuments } from "./ui/virtualDocuments";

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const { extension, subscriptions } = context;
  const log = vscode.window.createOutputChannel("Midfill", { log: true });
  const documents = new VirtualDocuments();
  const pauses = new Pauses(context.workspaceState);
  const statusBar = new StatusBar(pauses);
  const streamedText = new StreamedText(documents);
  const installer = new ServerInstaller(context, log);
  const ghostText = new GhostText();
  const started: Session = new Session(
    () => installer.findServer(),
    (program) => createLanguageClient(program, { extension, log, ghostText, nextEdits, pauses, statusBar, streamedText }),
    statusBar,
    log,
  );
  session = started;
  const nextEdits = new NextEdits(new Messages(started), ghostText, pauses, new Presenter(statusBar));

  subscriptions.push(
    log,
    documents,
    statusBar,
    nextEdits,
    ...registerCommands({ session: started, installer, documents, nextEdits, pauses, statusBar, streamedText, log }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (settings.affectsServerProcess(change)) {
        void started.restart();
      } else if (settings.affectsServerOptions(change, extension)) {
        void started.configure(settings.configurationOptions(extension));
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void started.restart()), // the folder's settings apply from now on
  );

  void started.restart(); // not awaited: the commands must work even if the server does not answer
  void installer.offerIfNeeded();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
