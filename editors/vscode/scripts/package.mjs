// Makes midfill.vsix: the extension in one file, and the server's package beside it.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const python = process.env.PYTHON ?? "python3";

function run(program, ...args) {
  execFileSync(program, args, { cwd: here, stdio: "inherit" });
}

rmSync(`${here}/server`, { recursive: true, force: true }); // an older package must not come along
run(python, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", "server", "../..");
copyFileSync(`${here}/../../LICENSE`, `${here}/LICENSE`);
run("npm", "run", "build", "--silent");
// Nothing to publish from yet: there is no repository's address to name.
run("node", "node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--allow-missing-repository", "--out", "midfill.vsix");
