/** Code between the editor and the language client: pauses, the next edit, and what the status bar must know. */

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import type { NextEdits } from "../nextEdit/nextEdits";
import type { Pauses } from "../ui/pauses";
import type { StatusBar } from "../ui/statusBar";
import type { GhostText } from "./ghostText";
import { LoadingProgress } from "./loadingProgress";

const INVOKED = vscode.InlineCompletionTriggerKind.Invoke;

export interface MiddlewareParts {
  readonly ghostText: GhostText;
  readonly nextEdits: NextEdits;
  readonly pauses: Pauses;
  readonly statusBar: StatusBar;
}

export function createMiddleware({ ghostText, nextEdits, pauses, statusBar }: MiddlewareParts): Middleware {
  const loading = new LoadingProgress({
    onProgress: (message, percentage) => statusBar.show({ kind: "loading", message, percentage }),
    onEnd: () => showReady(statusBar),
  });
  return {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      if (pauses.isPausedByUser(document)) {
        return [];
      }
      const instead = nextEdits.itemsInstead(document, position, context.triggerKind === INVOKED);
      if (instead) {
        return instead;
      }
      const request = statusBar.whileThinking(async () => next(document, position, context, token));
      const items = await ghostText.follow(document, position.line, request);
      if (!token.isCancellationRequested) {
        showReady(statusBar); // the server answers only after the model is loaded
      }
      return items;
    },
    provideCompletionItem: (document, position, context, token, next) =>
      pauses.isPausedByUser(document) ? [] : next(document, position, context, token),
    handleWorkDoneProgress: (token, report, next) => {
      if (loading.take(token, report)) {
        next(token, report);
      }
    },
  };
}

/** Show that the model is loaded, unless an error is shown. */
function showReady(statusBar: StatusBar): void {
  if (!statusBar.problem) {
    statusBar.show({ kind: "ready" });
    void vscode.commands.executeCommand("setContext", "midfill.ready", true); // completes a step of the walkthrough
  }
}
