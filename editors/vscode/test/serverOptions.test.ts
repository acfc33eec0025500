import assert from "node:assert/strict";
import test from "node:test";

import { type SettingValue, allOptions, serverOptionNames, setOptions } from "../src/common/serverOptions";

const VALUES: Record<string, SettingValue> = {
  bundle: { isSet: true, value: "" },
  maxTokens: { isSet: true, value: 64 },
  maxLines: { isSet: false, value: 12 },
  prefetch: { isSet: true, value: false },
};
const NAMES = Object.keys(VALUES);

function read(name: string): SettingValue {
  return VALUES[name] ?? assert.fail(`${name} is no setting`);
}

test("settings of the extension itself are no server options", () => {
  const keys = ["midfill.bundle", "midfill.server.path", "midfill.maxLines", "midfill.pause.languages"];
  assert.deepEqual(serverOptionNames(keys), ["bundle", "maxLines"]);
});

test("a running server gets all options, and null for those that are not set or empty", () => {
  assert.deepEqual(allOptions(NAMES, read), { bundle: null, maxTokens: 64, maxLines: null, prefetch: false });
});

test("a server that starts gets only the options that are set", () => {
  assert.deepEqual(setOptions(NAMES, read), { maxTokens: 64, prefetch: false });
});
