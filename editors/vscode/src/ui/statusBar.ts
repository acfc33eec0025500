/** The status bar item. It shows the state of the server, and why the active editor gets no suggestions. */

import * as vscode from "vscode";

import { isNextEditOn } from "../common/settings";
import { pauseReason } from "./pauseReason";
import type { Pauses } from "./pauses";
import { type Problem, type ServerState, appearance } from "./status";

/** Shorter requests are not shown: the item would flicker with every key. */
const THINKING_DELAY_MS = 150;

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("midfill", vscode.StatusBarAlignment.Right, 100);
  private readonly subscriptions: readonly { dispose(): unknown }[];
  private server: ServerState = { kind: "starting" };
  private pendingRequests = 0;
  private thinking = false;
  private nextEdit: string | undefined;

  constructor(private readonly pauses: Pauses) {
    this.item.name = "Midfill";
    this.item.command = "midfill.menu";
    this.subscriptions = [
      this.item,
      vscode.window.onDidChangeActiveTextEditor(() => this.refresh()),
      vscode.workspace.onDidOpenTextDocument(() => this.refresh()), // a change of a document's language, too
      vscode.workspace.onDidChangeConfiguration(() => this.refresh()),
    ];
    this.refresh();
    this.item.show();
  }

  /** Why the server cannot work; undefined if it can. */
  get problem(): Problem | undefined {
    return this.server.kind === "error" || this.server.kind === "missing" ? this.server : undefined;
  }

  /** Show a new state of the server. */
  show(server: ServerState): void {
    this.server = server;
    this.refresh();
  }

  /** Show how to take the next edit; undefined if none is shown. */
  showNextEdit(message: string | undefined): void {
    if (message !== this.nextEdit) {
      this.nextEdit = message;
      this.refresh();
    }
  }

  /** Show that a request is pending, if it takes long enough, and return its result. */
  async whileThinking<Result>(request: () => PromiseLike<Result>): Promise<Result> {
    this.pendingRequests += 1;
    const timer = setTimeout(() => this.setThinking(true), THINKING_DELAY_MS);
    try {
      return await request();
    } finally {
      clearTimeout(timer);
      this.pendingRequests -= 1;
      if (this.pendingRequests === 0) {
        this.setThinking(false);
      }
    }
  }

  /** Update the item, after a change that VS Code does not announce. */
  refresh(): void {
    const document = vscode.window.activeTextEditor?.document;
    const pause = document && pauseReason(this.pauses.stateOf(document));
    const { text, tooltip, label, isError } = appearance({
      server: this.server,
      thinking: this.thinking,
      pause,
      isNextEditOn: isNextEditOn(),
      nextEdit: this.nextEdit,
    });
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label, role: "button" };
    this.item.backgroundColor = isError ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private setThinking(thinking: boolean): void {
    this.thinking = thinking;
    this.refresh();
  }
}
