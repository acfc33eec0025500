/** Lets the user choose which model bundle the server loads. */

import * as path from "node:path";
import * as vscode from "vscode";

import * as settings from "../common/settings";
import { notify } from "../ui/notifications";
import { MANIFEST, bundlesIn, isBundle } from "./bundles";

interface Item extends vscode.QuickPickItem {
  /** The bundle's folder; empty for the default one, undefined if the user is to choose a folder. */
  readonly folder?: string;
}

/** Offer the default bundle, those beside the current one, and any other folder. */
export async function switchModel(): Promise<void> {
  const current = settings.bundle();
  const neighbours = current ? await bundlesIn(path.dirname(current)) : [];
  const items: Item[] = [
    { label: "Default model", description: "from Midfill's cache folder", folder: "" },
    ...neighbours.map((folder) => ({ label: path.basename(folder), description: folder, folder })),
    { label: "Choose a folder…", description: `with a ${MANIFEST} that \`midfill export\` wrote` },
  ];
  const item = await vscode.window.showQuickPick(items, { title: "Midfill: switch model", placeHolder: current });
  const folder = item?.folder ?? (item && (await chooseFolder()));
  if (folder !== undefined) {
    await settings.setBundle(folder); // the server loads it when the setting changes
  }
}

async function chooseFolder(): Promise<string | undefined> {
  const options = { canSelectFolders: true, canSelectFiles: false, title: "Choose the folder of a model bundle" };
  const [uri] = (await vscode.window.showOpenDialog(options)) ?? [];
  if (uri && !(await isBundle(uri.fsPath))) {
    void notify("error", `${uri.fsPath} is not a model bundle: it has no ${MANIFEST} of Midfill.`);
    return undefined;
  }
  return uri?.fsPath;
}
