/** Runs asynchronous tasks one after another, in the order in which they were added. */
export class TaskQueue {
  private last: Promise<void> = Promise.resolve();

  /** Add a task; the promise settles as the task's own does. A task that fails does not stop later ones. */
  add(task: () => Promise<void>): Promise<void> {
    this.last = this.last.then(task, task);
    return this.last;
  }
}
