import assert from "node:assert/strict";
import test from "node:test";
import type { TextDocument } from "vscode";

import { GhostText } from "../src/client/ghostText";

const DOCUMENT = { version: 3 } as TextDocument;

test("ghost text is at its line, until the document changes", async () => {
  const ghost = new GhostText();
  const document = { version: 3 };
  await ghost.follow(document as TextDocument, 7, Promise.resolve(["item"]));
  assert.ok(ghost.isAt(document as TextDocument, 7));
  assert.equal(ghost.isAt(document as TextDocument, 8), false);
  assert.equal(ghost.isAt(DOCUMENT, 7), false);
  document.version = 4;
  assert.equal(ghost.isAt(document as TextDocument, 7), false);
});

test("an answer without items, or a failure, is no ghost text", async () => {
  const ghost = new GhostText();
  await ghost.follow(DOCUMENT, 7, Promise.resolve({ items: ["item"] }));
  assert.ok(ghost.isAt(DOCUMENT, 7));
  await ghost.follow(DOCUMENT, 7, Promise.resolve({ items: [] }));
  assert.equal(ghost.isAt(DOCUMENT, 7), false);
  await assert.rejects(ghost.follow(DOCUMENT, 7, Promise.reject(new Error("cancelled"))));
  assert.equal(ghost.isAt(DOCUMENT, 7), false);
});

test("the newest request is waited for", async () => {
  const ghost = new GhostText();
  const answer: { give?: (items: string[]) => void } = {};
  void ghost.follow(DOCUMENT, 7, new Promise<string[]>((give) => (answer.give = give)));
  const settled = ghost.settled();
  answer.give?.(["item"]);
  await settled;
  assert.ok(ghost.isAt(DOCUMENT, 7));
});
