/** Downloads and converts the default model when the user asks for that. */

import * as vscode from "vscode";

import { runProgram } from "../common/runProgram";
import { withProgress } from "../ui/progress";

const EXPLANATION =
  "Midfill downloads the weights of Qwen2.5-Coder-0.5B-Instruct (491 MB, Apache-2.0) and converts them on this" +
  " machine. That takes some minutes and 2 GB of memory. Afterwards Midfill does not use the network.";

/** Ask the user, then run `midfill pull`; returns whether that succeeded. `server` is the path of `midfill`. */
export async function getModel(server: string, log: vscode.LogOutputChannel): Promise<boolean> {
  const options = { modal: true, detail: EXPLANATION };
  if (!(await vscode.window.showInformationMessage("Get a model?", options, "Get It"))) {
    return false;
  }
  return withProgress("Getting a model for Midfill", log, async (options) => {
    await runProgram(server, ["pull"], options);
  });
}
