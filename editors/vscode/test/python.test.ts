import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test from "node:test";

import { thisMachine } from "../src/server/machine";
import { findPython, isSupportedVersion } from "../src/server/python";

test("Python 3.10 and newer versions of Python 3 are supported", () => {
  const versions = ["Python 3.9.18", "Python 3.10.0", "Python 3.13.1+", "Python 2.7.18", "Python 4.0.0", ""];
  assert.deepEqual(versions.map(isSupportedVersion), [false, true, true, false, false, false]);
});

test("a Python that is too old, or does not run, is skipped", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(folder, { recursive: true }));
  const scripts = { python3: "echo Python 3.8.1", python: "exit 9", "python3.12": "echo Python 3.12.4" };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(folder, name), 0o755);
  }
  const machine = { ...thisMachine, searchPath: folder };
  assert.equal(await findPython(machine), path.join(folder, "python3.12"));
  assert.equal(await findPython({ ...machine, searchPath: "" }), undefined);
});
