// What every platform's threads are to their owner.

import type { ThreadMessage } from "./thread-loop.ts";

/** A worker that serves a pool. */
export interface Thread {
  post(message: ThreadMessage): void;
  end(): void;
}
