import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test, { type TestContext } from "node:test";

import { ProgramError } from "../src/common/runProgram";
import { thisMachine } from "../src/server/machine";
import { findPython } from "../src/server/python";
import { createEnvironment } from "../src/server/virtualEnvironment";

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("an environment is removed if the server cannot be installed into it", async (context) => {
  const parent = await temporaryFolder(context);
  const python = await findPython(thisMachine);
  assert.ok(python);
  const folder = path.join(parent, "server");
  await mkdir(folder);
  await assert.rejects(createEnvironment(python, folder, path.join(parent, "gone.whl"), {}), ProgramError);
  await assert.rejects(stat(folder), { code: "ENOENT" });
});

test("a Python without the venv module leads to advice", async (context) => {
  const parent = await temporaryFolder(context);
  const python = path.join(parent, "python3");
  await writeFile(python, "#!/bin/sh\necho ensurepip is not available\nexit 1\n");
  await chmod(python, 0o755);
  const creation = createEnvironment(python, path.join(parent, "server"), "midfill.whl", {});
  await assert.rejects(creation, /install python3-venv/);
});
