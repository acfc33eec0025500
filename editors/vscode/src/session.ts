/** The server's process and the client that speaks to it: started, watched, started again. */

import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  type ErrorHandler,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  MessageType,
  type Middleware,
  type ProgressToken,
  RevealOutputChannelOn,
  ShowMessageNotification,
  type ShowMessageParams,
  State,
} from "vscode-languageclient/node";

import type { Answers } from "./answers";
import { Crashes } from "./crashes";
import { type Found, findServer } from "./discovery";
import { DOCUMENTS } from "./documents";
import { thisMachine } from "./machine";
import type { Pauses } from "./pauses";
import * as settings from "./settings";
import type { StatusBar } from "./statusBar";

/** What the server says when it begins to load the model; our own item shows how far that is. */
const LOADING = "loading the model";

/** One server at a time; starting and stopping wait for each other. */
export class Session {
  private client: LanguageClient | undefined;
  private lastChange: Promise<void> = Promise.resolve();
  private loadingToken: ProgressToken | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly statusBar: StatusBar,
    private readonly pauses: Pauses,
    private readonly answers: Answers,
    /** The folder of the managed environment. */
    private readonly environment: string,
  ) {}

  /** The server that a start would take. */
  find(): ReturnType<typeof findServer> {
    return findServer(settings.serverPath(), this.environment, thisMachine);
  }

  /** Start the server, anew if it runs; what goes wrong is shown in the status bar. */
  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** Stop the server. */
  stop(): Promise<void> {
    return this.inTurn(() => this.end());
  }

  /** Tell the server what the user has set, if it runs; one that starts later is told then. */
  async configure(): Promise<void> {
    const told = { settings: { midfill: settings.changedOptions(this.context.extension) } };
    try {
      await this.client?.sendNotification(DidChangeConfigurationNotification.type, told);
    } catch (error) {
      this.log.info(`The server was not told of the settings: ${String(error)}`); // it has ended, or never started
    }
  }

  /**
   * Have the server run one of its commands, and return its answer.
   *
   * @throws Error: there is no server that runs.
   */
  async ask(command: string, args: readonly unknown[]): Promise<unknown> {
    if (this.client?.state !== State.Running) {
      throw new Error("the server does not run");
    }
    return this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [...args] });
  }

  /** How the server knows a document, and some of its text. */
  place(editor: vscode.TextEditor): { uri: string; range: unknown } | undefined {
    const { document, selection } = editor;
    const converter = this.client?.code2ProtocolConverter;
    return converter && { uri: converter.asUri(document.uri), range: converter.asRange(selection) };
  }

  private inTurn(change: () => Promise<void>): Promise<void> {
    this.lastChange = this.lastChange.then(change, change); // one that failed must not keep the next from happening
    return this.lastChange;
  }

  private async begin(): Promise<void> {
    const server = this.find();
    void vscode.commands.executeCommand("setContext", "midfill.serverFound", server.kind === "found");
    if (server.kind === "missing") {
      this.statusBar.show({ kind: "missing", message: server.why });
      return;
    }
    this.statusBar.show({ kind: "starting" });
    this.log.info(`Starting ${server.program}, found by ${server.by}`);
    this.client = this.createClient(server);
    try {
      await this.client.start();
    } catch (error) {
      this.log.error(String(error)); // the client's state shows it
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.info(`The server was ended: ${String(error)}`); // it was busy, and is killed then
    }
  }

  private createClient(server: Found): LanguageClient {
    const { extension } = this.context;
    const args = ["serve", "--stdio", "--log-level", settings.logLevel()];
    const options: LanguageClientOptions = {
      documentSelector: DOCUMENTS,
      initializationOptions: () => settings.initializationOptions(extension),
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      errorHandler: this.errorHandler(),
      middleware: this.middleware(),
    };
    const client = new LanguageClient("midfill", "Midfill", { command: server.program, args }, options);
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.statusBar.show({ kind: "loading", message: LOADING, percentage: 0 });
      } else if (newState === State.StartFailed) {
        this.statusBar.show({ kind: "error", message: "The server did not start; its log says why" });
      }
    });
    this.answers.listenTo(client);
    client.onNotification(ShowMessageNotification.type, (params) => this.tell(params));
    return client;
  }

  private errorHandler(): ErrorHandler {
    const crashes = new Crashes();
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        if (this.client?.state !== State.Running) {
          return { action: CloseAction.DoNotRestart, handled: true }; // it would hardly start the next time
        }
        if (crashes.add(Date.now())) {
          this.statusBar.show({ kind: "starting" });
          return { action: CloseAction.Restart, handled: true, message: "The server ended; it is started again" };
        }
        const message = "The server ended five times in three minutes, and is left alone";
        this.statusBar.show({ kind: "error", message });
        void offerHelp(`${message}.`, ["Restart", "Show Log", "Doctor"]);
        return { action: CloseAction.DoNotRestart, handled: true, message };
      },
    };
  }

  private middleware(): Middleware {
    return {
      provideInlineCompletionItems: async (document, position, context, token, next) => {
        if (this.isPaused(document)) {
          return [];
        }
        const items = await this.statusBar.whileThinking(async () => next(document, position, context, token));
        if (!token.isCancellationRequested) {
          this.loaded(); // for requests wait for the model
        }
        return items;
      },
      provideCompletionItem: (document, position, context, token, next) =>
        this.isPaused(document) ? [] : next(document, position, context, token),
      handleWorkDoneProgress: (token, params, next) => {
        if (params.kind === "begin" && params.message === LOADING) {
          this.loadingToken = token;
        }
        if (token !== this.loadingToken) {
          next(token, params);
        } else if (params.kind === "end") {
          this.loaded();
          next(token, params);
        } else {
          const { message = LOADING, percentage = 0 } = params;
          this.statusBar.show({ kind: "loading", message, percentage });
        }
      },
    };
  }

  /** Asked for outright, a suggestion comes also where editor.inlineSuggest.enabled is off. */
  private isPaused(document: vscode.TextDocument): boolean {
    return this.pauses.isFilePaused(document) || this.pauses.isLanguagePaused(document);
  }

  private loaded(): void {
    if (!this.statusBar.problem) {
      this.statusBar.show({ kind: "ready" });
      void vscode.commands.executeCommand("setContext", "midfill.ready", true); // ends a step of the walkthrough
    }
  }

  /** Show what the server has to say; an error stays in the status bar. */
  private tell({ type, message }: ShowMessageParams): void {
    if (type === MessageType.Error) {
      this.statusBar.show({ kind: "error", message });
      void offerHelp(message, ["Get a Model", "Restart", "Doctor"]);
    } else if (type === MessageType.Warning) {
      void vscode.window.showWarningMessage(message);
    } else {
      void vscode.window.showInformationMessage(message);
    }
  }
}

const HELP = {
  "Get a Model": "midfill.installModel",
  Restart: "midfill.restart",
  "Show Log": "midfill.showLog",
  Doctor: "midfill.doctor",
};

async function offerHelp(message: string, help: (keyof typeof HELP)[]): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(message, ...help);
  if (chosen) {
    await vscode.commands.executeCommand(HELP[chosen]);
  }
}
