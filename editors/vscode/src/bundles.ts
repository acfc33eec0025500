/** Switching the model: which bundle's folder the server is to load. */

import { readFile, readdir } from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

import * as settings from "./settings";

const MANIFEST = "manifest.json";
const BROWSE = "Choose a folder…";

/** Let the user choose a bundle: the default one, one beside the one in use, or any folder. */
export async function switchModel(): Promise<void> {
  const current = settings.bundle();
  const known = current ? await bundlesIn(path.dirname(current)) : [];
  const items: (vscode.QuickPickItem & { folder?: string })[] = [
    { label: "Default model", description: "from Midfill's cache folder", folder: "" },
    ...known.map((folder) => ({ label: path.basename(folder), description: folder, folder })),
    { label: BROWSE, description: `one with a ${MANIFEST}, as \`midfill export\` writes it` },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: "Midfill: switch model", placeHolder: current });
  const folder = chosen?.folder ?? (chosen && (await browse()));
  if (folder !== undefined) {
    await settings.setBundle(folder); // upon which the server loads it
  }
}

async function browse(): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, title: "A model bundle" })) ?? [];
  if (uri && !(await isBundle(uri.fsPath))) {
    void vscode.window.showErrorMessage(`${uri.fsPath} is no model bundle: it has no ${MANIFEST} of Midfill's.`);
    return undefined;
  }
  return uri?.fsPath;
}

async function bundlesIn(folder: string): Promise<string[]> {
  try {
    const folders = (await readdir(folder)).sort().map((name) => path.join(folder, name));
    const verdicts = await Promise.all(folders.map(isBundle));
    return folders.filter((_, index) => verdicts[index]);
  } catch {
    return []; // the setting names a place that is gone
  }
}

async function isBundle(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(path.join(folder, MANIFEST), "utf-8"));
    return typeof manifest === "object" && manifest !== null && "files" in manifest;
  } catch {
    return false;
  }
}
