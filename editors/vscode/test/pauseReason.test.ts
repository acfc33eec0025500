import assert from "node:assert/strict";
import test from "node:test";

import { pauseReason } from "../src/ui/pauseReason";

const ACTIVE = { isSupported: true, isFilePaused: false, isLanguagePaused: false, isGhostTextOn: true };

test("without a pause there is no reason", () => {
  assert.equal(pauseReason(ACTIVE), undefined);
});

test("of several reasons the one with the narrowest scope is shown", () => {
  const all = { isSupported: false, isFilePaused: true, isLanguagePaused: true, isGhostTextOn: false };
  assert.equal(pauseReason(all), "unsupported");
  assert.equal(pauseReason({ ...all, isSupported: true }), "file");
  assert.equal(pauseReason({ ...all, isSupported: true, isFilePaused: false }), "language");
  assert.equal(pauseReason({ ...ACTIVE, isGhostTextOn: false }), "ghostTextOff");
});
