// The page: starts the worker, counts how often the main thread got its turn meanwhile, and leaves the outcome for the test to read.
// With `?files` it reads and writes files instead.

import type { Used } from "./files.ts";

/** What worker.ts gives: how training went, and what threads shared of a larger product. */
interface Trained {
  first: number;
  last: number;
  accuracy: number;
  threads: number;
  sharedPhases: number;
  products: number[];
}

declare global {
  interface Window {
    used?: Used | string;
    outcome?: { result?: Trained; error?: string; turns: number; tookMs: number };
  }
}

if (location.search === "?files") {
  const { useFiles } = await import("./files.ts");
  window.used = await useFiles().catch((error: unknown) => String(error));
} else train();

function train(): void {
  const started = performance.now();
  let turns = 0;
  const ticking = setInterval(() => turns++, 5);

  function finish(message: { result?: Trained; error?: string }): void {
    clearInterval(ticking);
    window.outcome = { ...message, turns, tookMs: performance.now() - started };
  }

  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = event => finish(event.data);
  worker.onerror = event => finish({ error: event.message ?? "the worker could not be loaded" });
}
