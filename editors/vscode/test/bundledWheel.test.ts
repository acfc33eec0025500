import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test from "node:test";

import { findBundledWheel } from "../src/server/bundledWheel";

test("the wheel is found in the extension's folder; without one, the error names the folder", async (context) => {
  const extension = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(extension, { recursive: true }));
  const folder = path.join(extension, "server");
  await mkdir(folder);
  await writeFile(path.join(folder, "README"), "");
  await assert.rejects(findBundledWheel(extension), { message: `There is no package of the server in ${folder}` });
  const wheel = path.join(folder, "midfill-0.1.0-py3-none-any.whl");
  await writeFile(wheel, "");
  assert.equal(await findBundledWheel(extension), wheel);
});
