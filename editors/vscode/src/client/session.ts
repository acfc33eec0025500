/** The server's life: it is started, restarted and stopped here, and commands are sent to it. */

import * as vscode from "vscode";
import {
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  type LanguageClient,
  State,
} from "vscode-languageclient/node";

import type { ServerLocation } from "../server/discovery";
import type { StatusBar } from "../ui/statusBar";
import { TaskQueue } from "./taskQueue";

/** A selection, in the terms of LSP. */
export interface CodeLocation {
  readonly uri: string;
  readonly range: unknown;
}

/** Runs at most one server at a time; starts and stops happen one after another. */
export class Session {
  private client: LanguageClient | undefined;
  private readonly changes = new TaskQueue();

  constructor(
    private readonly findServer: () => ServerLocation,
    private readonly createClient: (program: string) => LanguageClient,
    private readonly statusBar: StatusBar,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Start the server, or restart it if it runs. The status bar shows a failure. */
  restart(): Promise<void> {
    return this.changes.add(async () => {
      await this.stopClient();
      await this.startClient();
    });
  }

  stop(): Promise<void> {
    return this.changes.add(() => this.stopClient());
  }

  /** Send changed options to the server if it runs. A server that starts later gets its options at the start. */
  async configure(options: Record<string, unknown>): Promise<void> {
    await this.notify(DidChangeConfigurationNotification.method, { settings: { midfill: options } });
  }

  /**
   * Have the server run one of its commands, and return the result.
   *
   * @throws Error: the server is not running, or the command failed.
   */
  executeCommand(command: string, args: readonly unknown[]): Promise<unknown> {
    return this.request(ExecuteCommandRequest.method, { command, arguments: [...args] });
  }

  /**
   * Send a request, and return the result.
   *
   * @throws Error: the server is not running, or the request failed or was cancelled.
   */
  async request(method: string, params: object, token?: vscode.CancellationToken): Promise<unknown> {
    if (this.client?.state !== State.Running) {
      throw new Error("the server is not running");
    }
    // An undefined token would be sent as a second parameter.
    return token ? this.client.sendRequest(method, params, token) : this.client.sendRequest(method, params);
  }

  /** Send a notification; it is lost if the server is not running. */
  async notify(method: string, params: object): Promise<void> {
    try {
      await this.client?.sendNotification(method, params);
    } catch (error) {
      this.log.info(`${method} was not sent: ${String(error)}`);
    }
  }

  /** Return the name of a document in messages; undefined before the first start of the server. */
  uriOf({ uri }: vscode.TextDocument): string | undefined {
    return this.client?.code2ProtocolConverter.asUri(uri);
  }

  /** Return the selection of an editor; undefined before the first start of the server. */
  selectionOf({ document, selection }: vscode.TextEditor): CodeLocation | undefined {
    const converter = this.client?.code2ProtocolConverter;
    return converter && { uri: converter.asUri(document.uri), range: converter.asRange(selection) };
  }

  private async startClient(): Promise<void> {
    const server = this.findServer();
    void vscode.commands.executeCommand("setContext", "midfill.serverFound", server.kind === "found");
    if (server.kind === "missing") {
      this.statusBar.show({ kind: "missing", message: server.reason });
      return;
    }
    this.statusBar.show({ kind: "starting" });
    this.log.info(`Starting the server ${server.program} (source: ${server.source})`);
    this.client = this.createClient(server.program);
    try {
      await this.client.start();
    } catch (error) {
      this.log.error(String(error)); // the status bar shows it: the client's state has become StartFailed
    }
  }

  private async stopClient(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // A busy server may not answer `shutdown` in time. The client kills it then.
      this.log.info(`The server did not shut down by itself: ${String(error)}`);
    }
  }
}
