// Arrays of which a file begins with the bytes, as TensorFlow 2.21 gives them, and what it refuses.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { DType } from "../../base/dtype.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { Graph } from "../../graph/graph.ts";
import { Session } from "../../session/session.ts";
import { ImmutableConst } from "./bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-immutable-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "floats");
writeFileSync(path, Buffer.from(Float32Array.from({ length: 10 }, (_, i) => i).buffer));

async function read(dtype: DType, shape: readonly number[], memoryRegionName = path): Promise<unknown> {
  const graph = new Graph();
  const tensor = graph.asDefault(() => ImmutableConst({ dtype, shape: new TensorShape(shape), memoryRegionName }));
  await using session = new Session({ graph });
  return ((await session.run(tensor)) as NDArray).toArray();
}

test("numbers of every kind", async () => {
  expect(await read("float32", [2, 5])).toEqual([
    [0, 1, 2, 3, 4],
    [5, 6, 7, 8, 9],
  ]);
  expect(await read("float32", [3])).toEqual([0, 1, 2]);
  expect(await read("int16", [])).toBe(0);
  expect(await read("uint8", [0])).toEqual([]);
  expect(await read("bool", [3])).toEqual([false, false, false]);
  expect(await read("uint8", [8])).toEqual([0, 0, 0, 0, 0, 0, 128, 63]);
});

test("refusals", async () => {
  await expect(read("float32", [11])).rejects.toThrow("Readonly memory region has wrong length (40) when allocating 44");
  await expect(read("string", [2])).rejects.toThrow("Sorry, DT_STRING is not currently supported for ImmutableConstOp.");
  await expect(read("variant", [])).rejects.toThrow("Resource and variant dtypes are invalid for this op.");
  await expect(read("float32", [1], join(folder, "none"))).rejects.toThrow("No such file or directory");
});
