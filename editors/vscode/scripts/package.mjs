// Packages the extension as midfill.vsix, with the server's wheel in it. `npm run package` builds the extension first.
//
// The same sources, with the same versions of Node and of the packages in package-lock.json and build-constraints.txt,
// give the same file, byte for byte. For that, dates, file modes and the version of the wheel's build tool are fixed.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createVSIX, listFiles } from "@vscode/vsce";

const extension = fileURLToPath(new URL("..", import.meta.url));
const project = join(extension, "..", "..");
const { version } = JSON.parse(readFileSync(join(extension, "package.json"), "utf-8"));

process.env.SOURCE_DATE_EPOCH ??= "1580601600"; // 2020-02-02, the date that hatchling gives files in a wheel by default
process.env.TZ = "UTC"; // an archive has local times

buildWheel();
copyFileSync(join(project, "LICENSE"), join(extension, "LICENSE"));
const options = { cwd: extension, dependencies: false }; // the build has put all dependencies into one file
for (const file of await listFiles(options)) {
  chmodSync(join(extension, file), 0o644); // a checkout's file modes depend on the user's umask
}
await createVSIX({
  ...options,
  packagePath: join(extension, "midfill.vsix"),
  allowMissingRepository: true, // package.json names none, since the project has no public address yet
});

// Puts the server's wheel into the folder `server`, with nothing else beside it.
function buildWheel() {
  const folder = join(extension, "server");
  const constraints = join(extension, "scripts", "build-constraints.txt");
  rmSync(folder, { recursive: true, force: true });
  const pip = ["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"];
  execFileSync(process.env.PYTHON ?? "python3", [...pip, "--wheel-dir", folder, project], {
    // pip 25.3 and newer read the first of these for build tools, older versions the second.
    env: { ...process.env, PIP_BUILD_CONSTRAINT: constraints, PIP_CONSTRAINT: constraints },
    stdio: "inherit",
  });
  if (!existsSync(join(folder, `midfill-${version}-py3-none-any.whl`))) {
    throw new Error(`The server does not have the extension's version, ${version}. Make package.json and midfill agree.`);
  }
}
