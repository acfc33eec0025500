import assert from "node:assert/strict";
import test from "node:test";

import { type WireEdit, changesOf } from "../src/nextEdit/edit";

/** An edit of single lines: line, first and last character, and the new text. */
function wire(...parts: [number, number, number, string][]): WireEdit {
  return {
    textDocument: { uri: "file:///a.py", version: 1 },
    command: { title: "Midfill", command: "midfill.nextEditAccepted", arguments: [1] },
    changes: parts.map(([line, first, last, newText]) => ({
      range: { start: { line, character: first }, end: { line, character: last } },
      newText,
    })),
  };
}

test("parts are in the order of the document, with the text that they replace", () => {
  const changes = changesOf(wire([1, 4, 5, "radius"], [0, 2, 3, "radius"]), "f(r)\n2 * r\n", "\n");
  assert.deepEqual(changes, [
    { start: 2, oldText: "r", newText: "radius" },
    { start: 9, oldText: "r", newText: "radius" },
  ]);
});

test("new text gets the document's line ends", () => {
  assert.deepEqual(changesOf(wire([1, 0, 0, "b\n"]), "a\r\nc\r\n", "\r\n"), [
    { start: 3, oldText: "", newText: "b\r\n" },
  ]);
});

test("characters are UTF-16 units, and a place behind the end is the end", () => {
  assert.deepEqual(changesOf(wire([0, 3, 4, "b"], [7, 0, 0, "c"]), "'😀'a", "\n"), [
    { start: 3, oldText: "'", newText: "b" },
    { start: 5, oldText: "", newText: "c" },
  ]);
});
