/** Commands that the server runs for the user. */

import { notify } from "../ui/notifications";
import type { Session } from "./session";

/**
 * Run one of the server's commands; a failure is shown, and the result is undefined then.
 *
 * The language client registers the server's commands under the server's names (`midfill.why`). The extension's own
 * commands therefore have other names (`midfill.showWhy`).
 */
export async function runServerCommand(session: Session, command: string, ...args: unknown[]): Promise<unknown> {
  try {
    return await session.executeCommand(command, args);
  } catch (error) {
    void notify("warning", `Midfill: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
