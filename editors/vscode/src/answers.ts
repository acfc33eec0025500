/** What the model has to say: beside the code, as it is written, and with questions that go on from it. */

import * as vscode from "vscode";
import type { ClientCapabilities, LanguageClient, StaticFeature } from "vscode-languageclient/node";

import type { AsideTexts } from "./asideTexts";

const PAGE = "Midfill Answer.md";

/** A piece of a text; the last one is done. */
interface Piece {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly done: boolean;
}

/** Has the server send what it writes, piece by piece, and ask for words where an action needs some. */
export class Answers implements StaticFeature {
  private current: { readonly id: string; text: string } | undefined;
  private question: string | undefined;

  constructor(private readonly texts: AsideTexts) {}

  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...(capabilities.experimental as object), midfill: { actionText: true, input: true } };
  }

  initialize(): void {
    // The server reads the capability, and that is all.
  }

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {
    // What was answered stays to be read.
  }

  /** Listen to a client, of which there is one at a time. */
  listenTo(client: LanguageClient): void {
    client.registerFeature(this);
    client.onNotification("midfill/actionText", (piece: Piece) => this.take(piece));
  }

  /** Show a question above its answer, below what was said before if it goes on from that. */
  async toQuestion(question: string, goesOn: boolean, ask: () => Promise<unknown>): Promise<void> {
    const before = goesOn && this.current ? `${this.current.text}\n\n---\n\n` : "";
    this.question = `${before}**${question}**\n\n`;
    await ask();
    this.question = undefined; // also where no answer came
  }

  private take(piece: Piece): void {
    if (piece.id !== this.current?.id) {
      this.current = { id: piece.id, text: this.question ?? `# ${piece.title}\n\n` };
      this.question = undefined;
      void this.begin(this.current.text);
    }
    this.current.text += piece.text;
    this.texts.change(PAGE, piece.done ? this.current.text : `${this.current.text} …`);
  }

  /** Show the page with its end, where the answer is going to be. */
  private async begin(text: string): Promise<void> {
    const editor = await this.texts.show(PAGE, `${text}…`);
    const end = editor.document.lineAt(editor.document.lineCount - 1).range;
    editor.revealRange(end, vscode.TextEditorRevealType.InCenter);
  }
}

/** Ask for words; undefined if there are none. */
export async function askForWords(title: string): Promise<string | undefined> {
  const words = await vscode.window.showInputBox({ title: "Midfill", prompt: title, ignoreFocusOut: true });
  return words?.trim() === "" ? undefined : words;
}
