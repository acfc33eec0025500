/** The item in the status bar. */

import * as vscode from "vscode";

import { type Problem, type ServerState, appearance } from "./status";
import type { Pauses } from "./pauses";

/** Thoughts shorter than this are not shown: the item would flicker with every key. */
const THINKING_AFTER_MS = 150;

/** Shows how the server is, and why there may be no suggestions in the active editor. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("midfill", vscode.StatusBarAlignment.Right, 100);
  private readonly subscriptions: { dispose(): unknown }[];
  private server: ServerState = { kind: "starting" };
  private thoughts = 0;
  private thinking = false;

  constructor(private readonly pauses: Pauses) {
    this.item.name = "Midfill";
    this.item.command = "midfill.menu";
    this.subscriptions = [
      this.item,
      vscode.window.onDidChangeActiveTextEditor(() => this.refresh()),
      vscode.workspace.onDidOpenTextDocument(() => this.refresh()), // also when a document's language changes
      vscode.workspace.onDidChangeConfiguration(() => this.refresh()),
    ];
    this.refresh();
    this.item.show();
  }

  /** What is wrong with the server, if anything is. */
  get problem(): Problem | undefined {
    return this.server.kind === "error" || this.server.kind === "missing" ? this.server : undefined;
  }

  /** Show another state of the server. */
  show(server: ServerState): void {
    this.server = server;
    this.refresh();
  }

  /** Show that a request is worked on, if that takes long enough to be seen. */
  async whileThinking<Result>(work: () => PromiseLike<Result>): Promise<Result> {
    this.thoughts += 1;
    const timer = setTimeout(() => this.setThinking(true), THINKING_AFTER_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      this.thoughts -= 1;
      if (this.thoughts === 0) {
        this.setThinking(false);
      }
    }
  }

  /** Draw the item anew. */
  refresh(): void {
    const document = vscode.window.activeTextEditor?.document;
    const pause = document && this.pauses.reason(document);
    const { text, tooltip, label, alarming } = appearance({ server: this.server, thinking: this.thinking, pause });
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label, role: "button" };
    this.item.backgroundColor = alarming ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private setThinking(thinking: boolean): void {
    this.thinking = thinking;
    this.refresh();
  }
}
