/** Text that the server streams while the model generates it: explanations, and answers to questions. */

import * as vscode from "vscode";
import type { ClientCapabilities, LanguageClient, StaticFeature } from "vscode-languageclient/node";

import type { VirtualDocuments } from "../ui/virtualDocuments";
import { type Chunk, Transcript } from "./transcript";

const DOCUMENT = "Midfill Answer.md";

/** A feature of the language client: it announces the capability, and shows the chunks that arrive. */
export class StreamedText implements StaticFeature {
  private readonly transcript = new Transcript();

  constructor(private readonly documents: VirtualDocuments) {}

  /** With `actionText`, the server may stream text. With `input`, its actions may call the command `midfill.input`. */
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const midfill = { actionText: true, input: true };
    capabilities.experimental = { ...(capabilities.experimental as object), midfill };
  }

  initialize(): void {
    // The capability alone makes the server send text.
  }

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {
    // An answer stays readable after the server has stopped.
  }

  /** Receive text from a client that is not started yet. */
  connect(client: LanguageClient): void {
    client.registerFeature(this);
    client.onNotification("midfill/actionText", (chunk: Chunk) => this.show(chunk));
  }

  /** Show a question above its answer, which `ask` requests. A follow-up question stands below the last answer. */
  async withQuestion(question: string, isFollowUp: boolean, ask: () => Promise<unknown>): Promise<void> {
    this.transcript.beginQuestion(question, isFollowUp);
    await ask();
    this.transcript.endQuestion();
  }

  private show(chunk: Chunk): void {
    if (this.transcript.add(chunk)) {
      void this.open();
    } else {
      this.documents.update(DOCUMENT, this.transcript.text);
    }
  }

  /** Open the document, scrolled to its end: there the answer appears. */
  private async open(): Promise<void> {
    const editor = await this.documents.show(DOCUMENT, this.transcript.text);
    const end = editor.document.lineAt(editor.document.lineCount - 1).range;
    editor.revealRange(end, vscode.TextEditorRevealType.InCenter);
  }
}
