/** `midfill doctor`, shown in the editor. */

import * as vscode from "vscode";

import { run } from "./run";
import * as settings from "./settings";

/** Check the installation and show the verdict, line by line, in a channel of its own. */
export async function examine(server: string, channel: vscode.OutputChannel): Promise<void> {
  channel.clear();
  channel.show(true);
  const bundle = settings.bundle();
  const location = vscode.ProgressLocation.Window;
  await vscode.window.withProgress({ location, title: "Midfill: examining" }, async () => {
    try {
      await run(server, ["doctor", ...(bundle ? ["--bundle", bundle] : [])], { onLine: (line) => channel.appendLine(line) });
    } catch (error) {
      channel.appendLine(String(error)); // a fault that was found ends it with code 1, and its lines tell which
    }
  });
}
