import assert from "node:assert/strict";
import test from "node:test";

import { LOADING_MODEL, LoadingProgress } from "../src/client/loadingProgress";

function followed(): { events: unknown[]; loading: LoadingProgress } {
  const events: unknown[] = [];
  const loading = new LoadingProgress({
    onProgress: (message, percentage) => events.push([message, percentage]),
    onEnd: () => events.push("end"),
  });
  return { events, loading };
}

test("reports of model loading go to the status bar, and only their end to the client's own display", () => {
  const { events, loading } = followed();
  const forClient = [
    loading.take("a", { kind: "begin", message: LOADING_MODEL }),
    loading.take("a", { kind: "report", message: "reading weights", percentage: 40 }),
    loading.take("a", { kind: "end" }),
  ];
  assert.deepEqual(forClient, [false, false, true]);
  assert.deepEqual(events, [[LOADING_MODEL, 0], ["reading weights", 40], "end"]);
});

test("reports of other work go to the client's own display alone, also while the model loads", () => {
  const { events, loading } = followed();
  loading.take("a", { kind: "begin", message: LOADING_MODEL });
  const forClient = [
    loading.take("b", { kind: "begin", message: "indexing" }),
    loading.take("b", { kind: "report", percentage: 10 }),
    loading.take("b", { kind: "end" }),
  ];
  assert.deepEqual(forClient, [true, true, true]);
  assert.deepEqual(events, [[LOADING_MODEL, 0]]);
});

test("loading may happen again, with another token", () => {
  const { events, loading } = followed();
  for (const token of [1, 2]) {
    loading.take(token, { kind: "begin", message: LOADING_MODEL });
    loading.take(token, { kind: "end" });
  }
  assert.deepEqual(events, [[LOADING_MODEL, 0], "end", [LOADING_MODEL, 0], "end"]);
});
