import assert from "node:assert/strict";
import test from "node:test";

import { draw } from "../src/nextEdit/drawing";
import { change } from "./nextEdit";

const TEXT = "def area(r):\n\treturn 2 * r\n\nx = 1\n";

test("old text is struck through, and the new one stands behind it", () => {
  const drawing = draw([change(TEXT, "r", "radius", "("), change(TEXT, "r", "radius", "* ")], TEXT, "\n", 4);
  assert.deepEqual(drawing, {
    firstLine: 0,
    lastLine: 1,
    removed: [
      { start: 9, end: 10 },
      { start: 25, end: 26 },
    ],
    inserted: [
      { at: 10, text: "radius" },
      { at: 26, text: "radius" },
    ],
    beside: [],
  });
});

test("new lines stand beside the lines that they are for, in one column", () => {
  const { beside, inserted } = draw([change(TEXT, "", "\tif r < 0:\n\t\treturn 0\n", "r):\n")], TEXT, "\n", 4);
  assert.deepEqual(inserted, []);
  assert.deepEqual(beside, [
    { line: 1, indent: 4, text: "    if r < 0:" },
    { line: 2, indent: 20, text: "        return 0" },
  ]);
});

test("of lines that change in part, all of the new ones are shown", () => {
  const { beside, removed } = draw([change(TEXT, " 2 *", " (\n\t\t2 *", "return")], TEXT, "\n", 4);
  assert.deepEqual(
    beside.map(({ text }) => text),
    ["    return (", "        2 * r"],
  );
  assert.equal(removed.length, 1);
});

test("new lines at the end of a file, and too many of them, are cut", () => {
  const { beside } = draw([{ start: TEXT.length, oldText: "", newText: "a\nb\nc\n" }], TEXT, "\n", 4);
  assert.deepEqual(beside, [{ line: 4, indent: 4, text: "a … and 2 more" }]);
});

test("a long text is cut", () => {
  const { inserted } = draw([{ start: 0, oldText: "", newText: "x".repeat(1000) }], TEXT, "\n", 4);
  assert.equal(inserted[0]?.text.length, 121);
});

test("lines end as the document's do", () => {
  const text = "a\r\nb\r\n";
  const { firstLine, beside } = draw([{ start: 3, oldText: "", newText: "x\r\ny\r\n" }], text, "\r\n", 4);
  assert.equal(firstLine, 1);
  assert.deepEqual(
    beside.map(({ text }) => text),
    ["x", "y"],
  );
});
