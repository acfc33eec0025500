/** The server's package, a wheel that is part of this extension. */

import { readdir } from "node:fs/promises";
import * as path from "node:path";

/**
 * Return the path of the wheel in the extension's folder.
 *
 * @throws Error: there is none, as in a checkout that was not packaged.
 */
export async function findBundledWheel(extensionFolder: string): Promise<string> {
  const folder = path.join(extensionFolder, "server");
  const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl"));
  if (!wheel) {
    throw new Error(`There is no package of the server in ${folder}`);
  }
  return path.join(folder, wheel);
}
