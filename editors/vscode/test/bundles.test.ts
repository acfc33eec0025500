import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test, { type TestContext } from "node:test";

import { MANIFEST, bundlesIn, isBundle } from "../src/model/bundles";

async function folderOf(context: TestContext, manifests: Record<string, string>): Promise<string> {
  const parent = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(parent, { recursive: true }));
  for (const [name, manifest] of Object.entries(manifests)) {
    await mkdir(path.join(parent, name));
    await writeFile(path.join(parent, name, MANIFEST), manifest);
  }
  return parent;
}

test("bundles are the folders with a manifest that lists files, sorted by name", async (context) => {
  const parent = await folderOf(context, {
    large: '{"files": {}}',
    broken: "{",
    "web-app": '{"start_url": "/"}',
    base: '{"files": {}}',
  });
  await mkdir(path.join(parent, "empty"));
  await writeFile(path.join(parent, "file"), "");
  assert.deepEqual(await bundlesIn(parent), [path.join(parent, "base"), path.join(parent, "large")]);
});

test("a folder that does not exist has no bundles, and is none", async (context) => {
  const gone = path.join(await folderOf(context, {}), "gone");
  assert.deepEqual(await bundlesIn(gone), []);
  assert.equal(await isBundle(gone), false);
});
