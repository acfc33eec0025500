/** Getting what is missing, when the user asks for it: the server, and a model. */

import { readdir } from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

import { createEnvironment } from "./environment";
import { thisMachine } from "./machine";
import { PYTHON_MISSING, findPython } from "./python";
import { type RunOptions, run } from "./run";

const DOWNLOADS = vscode.Uri.parse("https://www.python.org/downloads/");

/** Where it is remembered which package the managed environment was made from. */
const INSTALLED = "installedPackage";

/** Whether the managed environment was made from another package than the one this extension brings. */
export async function isOutdated({ extension, globalState }: vscode.ExtensionContext): Promise<boolean> {
  return globalState.get(INSTALLED) !== path.basename(await bundledWheel(extension));
}

/** Install the server into the managed environment, or tell why that was not possible. */
export async function installServer(
  { extension, globalState }: vscode.ExtensionContext,
  environment: string,
  log: vscode.LogOutputChannel,
): Promise<void> {
  const python = await findPython(thisMachine);
  if (!python) {
    const chosen = await vscode.window.showErrorMessage(PYTHON_MISSING, "Get Python");
    if (chosen) {
      await vscode.env.openExternal(DOWNLOADS);
    }
    return;
  }
  await withProgress("Installing the Midfill server", log, async (options) => {
    const wheel = await bundledWheel(extension);
    await createEnvironment(python, environment, wheel, options);
    await globalState.update(INSTALLED, path.basename(wheel));
  });
}

/** Fetch and convert the default model; returns whether it is there now. */
export async function installModel(
  server: string,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  const explanation =
    "Midfill fetches the weights of Qwen2.5-Coder-0.5B-Instruct (491 MB, Apache-2.0) and converts them on this machine," +
    " which takes some minutes and 2 GB of memory. Afterwards nothing uses the network.";
  if (!(await vscode.window.showInformationMessage("Get a model?", { modal: true, detail: explanation }, "Get It"))) {
    return false;
  }
  return withProgress("Getting a model for Midfill", log, async (options) => {
    await run(server, ["pull"], options);
  });
}

/** The server's package, which this extension brings along. */
async function bundledWheel(extension: vscode.Extension<unknown>): Promise<string> {
  const folder = path.join(extension.extensionPath, "server");
  const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl"));
  if (!wheel) {
    throw new Error(`There is no package of the server in ${folder}`);
  }
  return path.join(folder, wheel);
}

/** Do something long that the user can see and stop; what went wrong is shown and logged. */
async function withProgress(
  title: string,
  log: vscode.LogOutputChannel,
  work: (options: RunOptions) => Promise<void>,
): Promise<boolean> {
  const location = vscode.ProgressLocation.Notification;
  try {
    await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      const onLine = (line: string): void => {
        log.info(line);
        progress.report({ message: line.slice(0, 100) });
      };
      await work({ signal: abort.signal, onLine });
    });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name !== "AbortError") {
      log.error(error.message);
      const chosen = await vscode.window.showErrorMessage(`${title} failed. ${error.message}`, "Show Log");
      if (chosen) {
        log.show();
      }
    }
    return false;
  }
}
