import assert from "node:assert/strict";
import test from "node:test";

import { RestartPolicy } from "../src/client/restartPolicy";

test("four crashes within three minutes lead to a restart, the fifth does not", () => {
  const policy = new RestartPolicy();
  const decisions = [0, 1, 2, 3, 4].map((seconds) => policy.shouldRestart(seconds * 1000));
  assert.deepEqual(decisions, [true, true, true, true, false]);
});

test("crashes of more than three minutes ago do not count", () => {
  const policy = new RestartPolicy();
  const decisions = [0, 1, 2, 3, 4, 5].map((minutes) => policy.shouldRestart(minutes * 60_000));
  assert.deepEqual(decisions, [true, true, true, true, true, true]);
});
