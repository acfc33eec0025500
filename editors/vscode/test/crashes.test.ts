import assert from "node:assert/strict";
import test from "node:test";

import { Crashes } from "../src/crashes";

test("four ends within three minutes are borne, the fifth is not", () => {
  const crashes = new Crashes();
  const verdicts = [0, 1, 2, 3, 4].map((seconds) => crashes.add(seconds * 1000));
  assert.deepEqual(verdicts, [true, true, true, true, false]);
});

test("what is longer ago than three minutes is forgotten", () => {
  const crashes = new Crashes();
  const verdicts = [0, 1, 2, 3, 4, 5].map((minutes) => crashes.add(minutes * 60_000));
  assert.deepEqual(verdicts, [true, true, true, true, true, true]);
});
