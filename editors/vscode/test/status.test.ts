import assert from "node:assert/strict";
import test from "node:test";

import { type Status, appearance } from "../src/status";

const READY: Status = { server: { kind: "ready" }, thinking: false, pause: undefined };

test("loading shows its progress", () => {
  const { text, label } = appearance({ ...READY, server: { kind: "loading", message: "reading", percentage: 40 } });
  assert.equal(text, "$(loading~spin) Midfill 40%");
  assert.equal(label, "Midfill: reading, 40%");
});

test("what is wrong comes before everything else, and alarms", () => {
  const shown = appearance({ server: { kind: "error", message: "no model" }, thinking: true, pause: "file" });
  assert.equal(shown.label, "Midfill: no model");
  assert.equal(shown.alarming, true);
});

test("paused comes before thinking, and says why", () => {
  assert.match(appearance({ ...READY, thinking: true, pause: "language" }).label, /paused for this language/);
  assert.match(appearance({ ...READY, pause: "editor" }).label, /editor\.inlineSuggest\.enabled/);
  assert.match(appearance({ ...READY, pause: "place" }).label, /no file on disk/);
});

test("thinking and ready look different", () => {
  assert.equal(appearance(READY).label, "Midfill: ready");
  assert.equal(appearance({ ...READY, thinking: true }).label, "Midfill: thinking");
  assert.notEqual(appearance(READY).text, appearance({ ...READY, thinking: true }).text);
});
