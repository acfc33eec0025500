/** The text of an answer while it arrives in chunks, with the questions and answers before it. */

/** One chunk of an answer, as the server sends it in `midfill/actionText`. */
export interface Chunk {
  /** The same for all chunks of one answer. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** Whether this is the answer's last chunk. */
  readonly done: boolean;
}

const SEPARATOR = "\n\n---\n\n";
const MORE_TO_COME = "…";

/** Builds Markdown from questions and chunks. */
export class Transcript {
  private answerId: string | undefined;
  private isComplete = true;
  private content = "";
  /** What stands above the next answer, if it answers a question. */
  private nextHeading: string | undefined;

  /** The text to show now; it ends with an ellipsis while chunks are missing. */
  get text(): string {
    return this.isComplete ? this.content : `${this.content} ${MORE_TO_COME}`;
  }

  /** Put a question above the next answer. A follow-up question keeps what was said before. */
  beginQuestion(question: string, isFollowUp: boolean): void {
    const before = isFollowUp && this.content ? this.content + SEPARATOR : "";
    this.nextHeading = `${before}**${question}**\n\n`;
  }

  /** Forget the question if no answer to it has begun. */
  endQuestion(): void {
    this.nextHeading = undefined;
  }

  /** Add a chunk; returns whether it begins another answer. */
  add({ id, title, text, done }: Chunk): boolean {
    const isNew = id !== this.answerId;
    if (isNew) {
      this.answerId = id;
      this.content = this.nextHeading ?? `# ${title}\n\n`;
      this.nextHeading = undefined;
    }
    this.content += text;
    this.isComplete = done;
    return isNew;
  }
}
