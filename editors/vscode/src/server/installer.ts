/** Finds the server, and installs it into the managed environment when the user asks for that. */

import * as path from "node:path";
import * as vscode from "vscode";

import * as settings from "../common/settings";
import { BUTTONS, notify } from "../ui/notifications";
import { withProgress } from "../ui/progress";
import { findBundledWheel } from "./bundledWheel";
import { type ServerLocation, findServer } from "./discovery";
import { thisMachine } from "./machine";
import { PYTHON_MISSING, findPython } from "./python";
import { createEnvironment } from "./virtualEnvironment";

/** The key under which VS Code remembers which wheel the managed environment was made from. */
const INSTALLED_WHEEL = "installedPackage";

export class ServerInstaller {
  /** The folder of the managed environment. */
  private readonly environment: string;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.environment = path.join(context.globalStorageUri.fsPath, "server");
  }

  /** Find the server that a start would use. */
  findServer(): ServerLocation {
    return findServer(settings.serverPath(), this.environment, thisMachine);
  }

  /** Install the server into the managed environment. A failure is shown to the user. */
  async install(): Promise<void> {
    const python = await findPython(thisMachine);
    if (!python) {
      await notify("error", PYTHON_MISSING, [BUTTONS.getPython]);
      return;
    }
    await withProgress("Installing the Midfill server", this.log, async (options) => {
      const wheel = await findBundledWheel(this.context.extensionPath);
      await createEnvironment(python, this.environment, wheel, options);
      await this.context.globalState.update(INSTALLED_WHEEL, path.basename(wheel));
    });
  }

  /** Offer to install the server if it is missing, or if this extension brings another version of it. */
  async offerIfNeeded(): Promise<void> {
    const server = this.findServer();
    if (server.kind === "missing") {
      await this.offer(server.reason);
    } else if (server.source === "managed environment" && (await this.isOutdated())) {
      const message = "This version of the extension brings another version of the Midfill server.";
      await notify("information", message, [BUTTONS.installServer]);
    }
  }

  /** Show why there is no server, and offer ways to get one. */
  async offer(reason: string): Promise<void> {
    await notify("warning", `${reason}.`, [BUTTONS.installServer, BUTTONS.setServerPath, BUTTONS.firstSteps]);
  }

  private async isOutdated(): Promise<boolean> {
    const wheel = await findBundledWheel(this.context.extensionPath);
    return this.context.globalState.get(INSTALLED_WHEEL) !== path.basename(wheel);
  }
}
