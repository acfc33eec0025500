import assert from "node:assert/strict";
import test from "node:test";

import { Moves } from "../src/nextEdit/moments";

const CURSOR = { uri: "file:///a.py", version: 3, line: 5 };

/** Moves of a user whose cursor is there. */
function moves(): Moves {
  const made = new Moves();
  made.moved(CURSOR);
  return made;
}

test("a move is within a line, or to another line or document", () => {
  assert.equal(moves().moved(CURSOR), "within");
  assert.equal(moves().moved({ ...CURSOR, line: 6 }), "elsewhere");
  assert.equal(moves().moved({ ...CURSOR, uri: "file:///b.py", version: 1 }), "elsewhere");
});

test("typing is no move, and neither is the first cursor that is seen", () => {
  assert.equal(moves().moved({ ...CURSOR, version: 4, line: 6 }), "none");
  assert.equal(new Moves().moved(CURSOR), "none");
});

test("who only reads, or has not changed anything for a while, is not helped", () => {
  const made = moves();
  assert.equal(made.isSoonAfterChange(0), false);
  made.changed(0);
  assert.ok(made.isSoonAfterChange(1));
  assert.equal(made.isSoonAfterChange(600_000), false);
});
