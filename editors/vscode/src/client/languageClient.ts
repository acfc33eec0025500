/** Creates the language client that starts a server program and talks to it. */

import type * as vscode from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  ShowMessageNotification,
  State,
} from "vscode-languageclient/node";

import * as settings from "../common/settings";
import { DOCUMENT_SELECTOR } from "../common/documentSelector";
import { createErrorHandler } from "./errorHandler";
import { LOADING_MODEL } from "./loadingProgress";
import { type MiddlewareParts, createMiddleware } from "./middleware";
import { showServerMessage } from "./serverMessages";
import type { StreamedText } from "./streamedText";

export interface ClientParts extends MiddlewareParts {
  readonly extension: vscode.Extension<unknown>;
  readonly log: vscode.LogOutputChannel;
  readonly streamedText: StreamedText;
}

/** Create a client that is not started yet; `program` is the path of the server's program. */
export function createLanguageClient(program: string, parts: ClientParts): LanguageClient {
  const { extension, log, statusBar, streamedText } = parts;
  const options: LanguageClientOptions = {
    documentSelector: DOCUMENT_SELECTOR,
    initializationOptions: () => settings.initializationOptions(extension),
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler: createErrorHandler(() => client.state === State.Running, statusBar),
    middleware: createMiddleware(parts),
  };
  const args = ["serve", "--stdio", "--log-level", settings.logLevel()];
  const client = new LanguageClient("midfill", "Midfill", { command: program, args }, options);
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Running) {
      statusBar.show({ kind: "loading", message: LOADING_MODEL, percentage: 0 });
    } else if (newState === State.StartFailed) {
      statusBar.show({ kind: "error", message: "The server did not start. See its log" });
    }
  });
  streamedText.connect(client);
  client.onNotification(ShowMessageNotification.type, (params) => showServerMessage(params, statusBar));
  return client;
}
