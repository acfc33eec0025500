import assert from "node:assert/strict";
import test from "node:test";

import type { Change } from "../src/nextEdit/edit";
import { inlineItem } from "../src/nextEdit/inlineItem";
import { applied, change } from "./nextEdit";

const TEXT = 'a = get("A")\nb = get("B")\nc = 1\n';
const AT_B = TEXT.indexOf('"B"');

/** The document after the item is accepted; undefined if the edit cannot be an item. */
function accepted(changes: readonly Change[], cursor: number, text = TEXT, eol = "\n"): string | undefined {
  const item = inlineItem(changes, text, cursor, eol);
  return item && text.slice(0, item.start) + item.text + text.slice(item.end);
}

test("what is inserted at the cursor, or after it on its line, is an item", () => {
  const both = [change(TEXT, "", "_", '"B'), change(TEXT, "", ', ""', '"B"')];
  assert.equal(accepted(both, AT_B), applied(TEXT, both));
  assert.equal(accepted(both.slice(1), AT_B + 3), applied(TEXT, both.slice(1)));
});

test("a word that goes on is an item", () => {
  const longer = [change(TEXT, "get", "get_all", "b = ")];
  assert.equal(accepted(longer, AT_B - 4), applied(TEXT, longer));
});

test("new lines below the cursor's line are an item", () => {
  const below = [change(TEXT, "", "b += 1\n", '"B")\n')];
  assert.equal(accepted(below, AT_B), applied(TEXT, below));
  const text = TEXT.replaceAll("\n", "\r\n");
  const crlf = [change(text, "", "b += 1\r\n", '"B")\r\n')];
  assert.equal(accepted(crlf, text.indexOf('"B"'), text, "\r\n"), applied(text, crlf));
});

test("what removes text, or is before the cursor or on another line, is none", () => {
  assert.equal(accepted([change(TEXT, '"B"', '"C"')], AT_B), undefined);
  assert.equal(accepted([change(TEXT, "", "x", "b")], AT_B), undefined);
  assert.equal(accepted([change(TEXT, "", ', ""', '"B"')], 3), undefined);
  assert.equal(accepted([change(TEXT, "", "x", '"A"'), change(TEXT, "", "x", '"B"')], 3), undefined);
});
