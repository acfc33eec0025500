/** Finds model bundles on disk. A bundle is a folder with a manifest. */

import { readFile, readdir } from "node:fs/promises";
import * as path from "node:path";

export const MANIFEST = "manifest.json";

/** Return the folders of the bundles that lie in `folder`, sorted by name; none if `folder` does not exist. */
export async function bundlesIn(folder: string): Promise<string[]> {
  try {
    const folders = (await readdir(folder)).sort().map((name) => path.join(folder, name));
    const areBundles = await Promise.all(folders.map(isBundle));
    return folders.filter((_, index) => areBundles[index]);
  } catch {
    return [];
  }
}

export async function isBundle(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(path.join(folder, MANIFEST), "utf-8"));
    return typeof manifest === "object" && manifest !== null && "files" in manifest;
  } catch {
    return false;
  }
}
