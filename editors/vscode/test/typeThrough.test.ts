import assert from "node:assert/strict";
import test from "node:test";

import type { Change } from "../src/nextEdit/edit";
import { type Typed, typeThrough } from "../src/nextEdit/typeThrough";
import { applied, change } from "./nextEdit";

const BEFORE = "if r < 0:\n    return r * 2\n";
const AFTER = "if radius < 0:\n    return radius * 2\n";
const RENAME = [change(BEFORE, "r", "radius", "if "), change(BEFORE, "r", "radius", "return ")];

/** A key at an offset: what is typed, over so many characters. */
function key(rangeOffset: number, text: string, rangeLength = 0): Typed {
  return { rangeOffset, rangeLength, text };
}

/** The text after keys, and after what is left of the edit then; undefined if nothing is left to do, or to keep. */
function finished(changes: readonly Change[], ...keys: Typed[]): string | undefined {
  const left = typeThrough(changes, keys);
  const typed = keys.reduce(
    (text, { rangeOffset, rangeLength, text: now }) =>
      text.slice(0, rangeOffset) + now + text.slice(rangeOffset + rangeLength),
    BEFORE,
  );
  return left && applied(typed, left);
}

test("an edit that is typed by hand stays, with its other parts at their new places", () => {
  assert.equal(finished(RENAME, key(4, "a")), AFTER);
  assert.equal(finished(RENAME, key(4, "a"), key(5, "d")), AFTER);
  assert.equal(finished(RENAME, key(3, "", 1)), AFTER);
  assert.equal(finished(RENAME, key(3, "radius", 1)), AFTER);
  assert.equal(finished(RENAME, key(21, "radius", 1), key(3, "radius", 1)), AFTER);
});

test("a part that is typed in full is done, and so is an edit", () => {
  assert.equal(typeThrough(RENAME, [key(3, "radius", 1)])?.length, 1);
  assert.deepEqual(typeThrough(RENAME, [key(21, "radius", 1), key(3, "radius", 1)]), []);
});

test("anything else ends the edit", () => {
  assert.equal(finished(RENAME, key(4, "x")), undefined);
  assert.equal(finished(RENAME, key(0, "#")), undefined);
  assert.equal(finished(RENAME, key(4, "a"), key(5, "x")), undefined);
  assert.equal(finished(RENAME, key(2, "", 2)), undefined);
});

test("a bracket that the editor closes by itself belongs to the edit", () => {
  const call = [{ start: 9, oldText: "", newText: "f(x)" }];
  const left = typeThrough(call, [key(9, "f"), key(10, "()")]);
  assert.deepEqual(left, [{ start: 11, oldText: "", newText: "x" }]);
});
