import assert from "node:assert/strict";
import test from "node:test";

import { hintLine, hintText, whereabouts } from "../src/nextEdit/whereabouts";

const VIEW = { cursorLine: 20, firstVisible: 10, lastVisible: 30 };

/** An edit of a few lines. */
function lines(firstLine: number, lastLine: number): { firstLine: number; lastLine: number } {
  return { firstLine, lastLine };
}

test("an edit is here if the cursor is within it", () => {
  assert.equal(whereabouts(lines(20, 20), VIEW), "here");
  assert.equal(whereabouts(lines(18, 22), VIEW), "here");
  assert.equal(whereabouts(lines(21, 22), VIEW), "visible");
});

test("an edit that is out of view has a direction", () => {
  assert.equal(whereabouts(lines(2, 9), VIEW), "above");
  assert.equal(whereabouts(lines(31, 31), VIEW), "below");
  assert.equal(whereabouts(lines(8, 10), VIEW), "visible");
  assert.equal(whereabouts(lines(20, 20), undefined), "elsewhere");
});

test("the hint is at the edge of the screen, below what sticky scroll covers", () => {
  assert.equal(hintLine("above", lines(2, 9), VIEW, 5), 15);
  assert.equal(hintLine("above", lines(2, 9), { ...VIEW, lastVisible: 12 }, 5), 12);
  assert.equal(hintLine("below", lines(31, 31), VIEW, 5), 29);
  assert.equal(hintLine("elsewhere", lines(2, 2), VIEW, 5), 20);
  assert.equal(hintLine("elsewhere", lines(2, 2), { ...VIEW, cursorLine: 99 }, 5), 30);
});

test("the hint of an edit in view is at its end, or as far down as the editor shows", () => {
  assert.equal(hintLine("here", lines(19, 21), VIEW, 5), 21);
  assert.equal(hintLine("visible", lines(28, 35), VIEW, 5), 30);
});

test("the hint counts lines from 1, and names another file", () => {
  assert.equal(hintText("above", lines(2, 9), "a.py"), "↑ Tab: next edit, line 3");
  assert.equal(hintText("elsewhere", lines(2, 9), "a.py"), "→ Tab: next edit, a.py:3");
});
