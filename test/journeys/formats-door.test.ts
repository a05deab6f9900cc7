// The door "tensorloom/formats": files without graph or compiler.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  blobSource,
  MemoryFiles,
  messageFromText,
  messageToBytes,
  NDArray,
  npyFromArray,
  npyToArray,
  openCheckpoint,
  readRecords,
  recordToBytes,
  writeBundle,
} from "tensorloom/formats";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** Every file that a file imports, directly or not. */
function reached(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.{1,2}\/[^"]+|#platform)"/g))
    for (const next of path === "#platform"
      ? ["platform/node.ts", "platform/browser.ts"].map(name => join(source, name))
      : [join(dirname(file), path)])
      if (existsSync(next)) reached(next, seen);
  return seen;
}

test("it reaches no graph and no compiler", () => {
  const rooms = new Set([...reached(join(source, "formats.ts"))].map(file => file.slice(source.length).split("/")[0]));
  expect([...rooms].sort()).toEqual(["base", "formats", "formats.ts", "platform"]);
});

test("a checkpoint, a graph and records, in memory and in Blobs", async () => {
  const files = new MemoryFiles();
  await writeBundle(files, "run/model", [{ name: "w", value: NDArray.from([[1, 2]]) }]);
  const reader = await openCheckpoint(files, "run/model");
  expect((await reader.read("w")).toArray()).toEqual([[1, 2]]);
  await reader.close();
  expect(messageToBytes("GraphDef", messageFromText("GraphDef", 'node { name: "x" op: "NoOp" }')).length).toBeGreaterThan(5);
  const blob = new Blob([recordToBytes(new Uint8Array([1, 2])) as Uint8Array<ArrayBuffer>]);
  for await (const record of readRecords(blobSource("blob", blob))) expect([...record]).toEqual([1, 2]);
  expect(npyToArray(npyFromArray(NDArray.from([3, 4], "int32"))).toArray()).toEqual([3, 4]);
});
