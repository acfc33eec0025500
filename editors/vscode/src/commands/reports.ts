/** Commands that show a report about Midfill beside the code. */

import * as vscode from "vscode";

import { runServerCommand } from "../client/serverCommands";
import type { Session } from "../client/session";
import { ProgramError, runProgram } from "../common/runProgram";
import * as settings from "../common/settings";
import type { VirtualDocuments } from "../ui/virtualDocuments";

const DOCTOR = "Midfill Doctor";

export class Reports {
  constructor(
    private readonly session: Session,
    private readonly documents: VirtualDocuments,
  ) {}

  /** Show the result and the prompt of the last request. */
  async showWhy(): Promise<void> {
    await this.showResult("Midfill Why.md", "midfill.why", 1);
  }

  async showStatistics(): Promise<void> {
    await this.showResult("Midfill Statistics", "midfill.statistics");
  }

  /** Show the output of `midfill doctor`, which checks the installation; `program` is the path of `midfill`. */
  async showDoctor(program: string): Promise<void> {
    await this.documents.show(DOCTOR, "");
    const bundle = settings.bundle();
    const args = ["doctor", ...(bundle ? ["--bundle", bundle] : [])];
    const location = vscode.ProgressLocation.Window;
    await vscode.window.withProgress({ location, title: "Midfill: checking the installation" }, async () => {
      try {
        await runProgram(program, args, { onLine: (line) => this.documents.append(DOCTOR, line) });
      } catch (error) {
        // If the doctor finds a fault, it fails too. Its output already says what is wrong.
        if (!(error instanceof ProgramError && error.output)) {
          this.documents.append(DOCTOR, String(error));
        }
      }
    });
  }

  private async showResult(document: string, command: string, ...args: unknown[]): Promise<void> {
    const text = await runServerCommand(this.session, command, ...args);
    if (typeof text === "string") {
      await this.documents.show(document, text);
    }
  }
}
