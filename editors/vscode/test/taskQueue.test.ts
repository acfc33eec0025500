import assert from "node:assert/strict";
import test from "node:test";

import { TaskQueue } from "../src/client/taskQueue";

test("a task begins after the one before it has ended", async () => {
  const events: string[] = [];
  const queue = new TaskQueue();
  let endFirst = (): void => assert.fail("the first task has not begun");
  const first = queue.add(async () => {
    events.push("first begins");
    await new Promise<void>((resolve) => (endFirst = resolve));
    events.push("first ends");
  });
  const second = queue.add(() => Promise.resolve(void events.push("second")));
  await Promise.resolve();
  endFirst();
  await Promise.all([first, second]);
  assert.deepEqual(events, ["first begins", "first ends", "second"]);
});

test("a failure reaches the caller, and the next task runs all the same", async () => {
  const queue = new TaskQueue();
  const failing = queue.add(() => Promise.reject(new Error("no server")));
  let hasRun = false;
  const next = queue.add(() => Promise.resolve(void (hasRun = true)));
  await assert.rejects(failing, { message: "no server" });
  await next;
  assert.equal(hasRun, true);
});
