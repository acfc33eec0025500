/** Commands that ask the model about code. The answers are streamed into a document beside the code. */

import * as vscode from "vscode";

import { runServerCommand } from "../client/serverCommands";
import type { Session } from "../client/session";
import type { StreamedText } from "../client/streamedText";
import { SCHEME } from "../ui/virtualDocuments";

const ASK_ABOUT_CODE = "Ask about this code";

export class Questions {
  constructor(
    private readonly session: Session,
    private readonly streamedText: StreamedText,
  ) {}

  async explainCode(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const selection = editor && this.session.selectionOf(editor);
    if (selection) {
      await runServerCommand(this.session, "midfill.do", { action: "explain", ...selection });
    }
  }

  /** Ask about the code in the active editor. In an answer, or without an editor, it is a follow-up question. */
  async askQuestion(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const selection = editor && editor.document.uri.scheme !== SCHEME ? this.session.selectionOf(editor) : undefined;
    const text = await promptForText(selection ? ASK_ABOUT_CODE : "Ask a follow-up question about the answer");
    if (text) {
      await this.streamedText.withQuestion(text, !selection, () =>
        runServerCommand(this.session, "midfill.ask", { text, ...selection }),
      );
    }
  }

  /** Run a code action that needs text from the user; the server has put the action into the code action's command. */
  async runActionWithInput(action: Record<string, unknown>): Promise<void> {
    const instruction = await promptForText(action.action === "ask" ? ASK_ABOUT_CODE : "What should Midfill write?");
    if (instruction) {
      await runServerCommand(this.session, "midfill.do", { ...action, instruction });
    }
  }
}

/** Return what the user enters; undefined for nothing. */
async function promptForText(prompt: string): Promise<string | undefined> {
  const text = await vscode.window.showInputBox({ title: "Midfill", prompt, ignoreFocusOut: true });
  return text?.trim() === "" ? undefined : text;
}
