/** `midfill doctor`, shown in the editor. */

import * as vscode from "vscode";

import type { AsideTexts } from "./asideTexts";
import { ProgramError, run } from "./run";
import * as settings from "./settings";

const NAME = "Midfill Doctor";

/** Check the installation, and show the verdict beside the code. */
export async function examine(server: string, texts: AsideTexts): Promise<void> {
  await texts.show(NAME, "");
  const bundle = settings.bundle();
  const args = ["doctor", ...(bundle ? ["--bundle", bundle] : [])];
  const location = vscode.ProgressLocation.Window;
  await vscode.window.withProgress({ location, title: "Midfill: examining" }, async () => {
    try {
      await run(server, args, { onLine: (line) => texts.append(NAME, line) });
    } catch (error) {
      // A fault that was found ends it too, and stands in the lines already.
      if (!(error instanceof ProgramError && error.output)) {
        texts.append(NAME, String(error));
      }
    }
  });
}
