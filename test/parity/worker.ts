// Runs families in a thread of their own and reports case by case, so that the one who asked can end it where a case hangs.
import { parentPort, workerData } from "node:worker_threads";
import { loadFamily } from "./golden.ts";
import { type Backend, runCase } from "./run-case.ts";

const { directory, families, filter, backend, skip } = workerData as {
  directory: string | null;
  families: readonly string[];
  filter: string | null;
  backend: Backend;
  /** Ids that are done already. */
  skip: readonly string[];
};

const done = new Set(skip);
for (const name of families) {
  const family = loadFamily(directory, name);
  for (const golden of family.cases) {
    if (
      done.has(golden.id) ||
      (filter !== null && !golden.id.includes(filter) && golden.family !== filter && !opsOf(golden).includes(filter))
    )
      continue;
    parentPort?.postMessage({ id: golden.id, family: name });
    const start = performance.now();
    const reasons = await runCase(golden, family.blob, backend);
    parentPort?.postMessage({ id: golden.id, family: name, reasons, seconds: (performance.now() - start) / 1000 });
  }
}
parentPort?.postMessage(null);

function opsOf({ graph }: { graph?: { node: readonly { op: string }[] } }): string[] {
  return graph?.node.map(({ op }) => op) ?? [];
}
