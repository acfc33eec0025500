import assert from "node:assert/strict";
import test from "node:test";

import { Moves } from "../src/nextEdit/moments";

const CURSOR = { uri: "file:///a.py", version: 3, line: 5 };

/** Moves of a user who has just changed the document, at the time 0. */
function moves(): Moves {
  const made = new Moves();
  made.changed(0);
  made.moved(CURSOR, 0);
  return made;
}

test("a move to another line, or to another document, counts", () => {
  assert.ok(moves().moved({ ...CURSOR, line: 6 }, 1));
  assert.ok(moves().moved({ ...CURSOR, uri: "file:///b.py", version: 1 }, 1));
});

test("a move within a line, or by typing, does not", () => {
  assert.equal(moves().moved(CURSOR, 1), false);
  assert.equal(moves().moved({ ...CURSOR, version: 4, line: 6 }, 1), false);
});

test("who only reads is not helped", () => {
  assert.equal(moves().moved({ ...CURSOR, line: 6 }, 600_000), false);
  const reading = new Moves();
  reading.moved(CURSOR, 0);
  assert.equal(reading.moved({ ...CURSOR, line: 6 }, 1), false);
});
