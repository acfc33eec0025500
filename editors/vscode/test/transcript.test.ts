import assert from "node:assert/strict";
import test from "node:test";

import { type Chunk, Transcript } from "../src/client/transcript";

function chunk(id: string, text: string, done = true): Chunk {
  return { id, title: "Explain", text, done };
}

test("an answer has its title above it, and an ellipsis until it is complete", () => {
  const transcript = new Transcript();
  assert.equal(transcript.add(chunk("1", "It", false)), true);
  assert.equal(transcript.text, "# Explain\n\nIt …");
  assert.equal(transcript.add(chunk("1", " adds.")), false);
  assert.equal(transcript.text, "# Explain\n\nIt adds.");
});

test("another answer replaces the one before it", () => {
  const transcript = new Transcript();
  transcript.add(chunk("1", "It adds."));
  assert.equal(transcript.add(chunk("2", "It subtracts.")), true);
  assert.equal(transcript.text, "# Explain\n\nIt subtracts.");
});

test("a question stands above its answer, in place of the title", () => {
  const transcript = new Transcript();
  transcript.add(chunk("1", "It adds."));
  transcript.beginQuestion("Is it fast?", false);
  transcript.add(chunk("2", "Yes."));
  assert.equal(transcript.text, "**Is it fast?**\n\nYes.");
});

test("a follow-up question stands below the answers before it", () => {
  const transcript = new Transcript();
  transcript.add(chunk("1", "It adds."));
  transcript.beginQuestion("Is it fast?", true);
  transcript.add(chunk("2", "Yes."));
  assert.equal(transcript.text, "# Explain\n\nIt adds.\n\n---\n\n**Is it fast?**\n\nYes.");
});

test("a follow-up question without an answer before it stands alone", () => {
  const transcript = new Transcript();
  transcript.beginQuestion("Is it fast?", true);
  transcript.add(chunk("1", "Yes."));
  assert.equal(transcript.text, "**Is it fast?**\n\nYes.");
});

test("a question that got no answer does not stand above the next one", () => {
  const transcript = new Transcript();
  transcript.beginQuestion("Is it fast?", false);
  transcript.endQuestion();
  transcript.add(chunk("1", "It adds."));
  assert.equal(transcript.text, "# Explain\n\nIt adds.");
});
