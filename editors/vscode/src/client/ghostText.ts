/** Knows where ghost text is, and whether some is still to come: the next edit gives way to it. */

import type * as vscode from "vscode";

type Items = readonly unknown[] | { readonly items: readonly unknown[] } | null | undefined;

interface Shown {
  readonly document: vscode.TextDocument;
  readonly version: number;
  readonly line: number;
}

export class GhostText {
  private shown: Shown | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** Note a request for ghost text at a line, and what comes of it; returns the same promise. */
  follow<Answer extends Items>(
    document: vscode.TextDocument,
    line: number,
    request: Promise<Answer>,
  ): Promise<Answer> {
    const { version } = document;
    this.shown = undefined;
    const noted = request
      .then((answer) => {
        if (this.last === noted && !isEmpty(answer)) {
          this.shown = { document, version, line };
        }
      })
      .catch(() => undefined);
    this.last = noted;
    return request;
  }

  /** Wait until the newest request is answered. */
  async settled(): Promise<void> {
    await this.last;
  }

  /** Whether there is ghost text at a line of a document. It goes when the document changes. */
  isAt(document: vscode.TextDocument, line: number): boolean {
    const { shown } = this;
    return shown?.document === document && shown.version === document.version && shown.line === line;
  }
}

function isEmpty(answer: Items): boolean {
  const items = answer && "items" in answer ? answer.items : answer;
  return !items?.length;
}
