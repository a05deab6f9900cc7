// Kernels that recorded code cannot compute (strings, complex numbers, routines, rare primitives): the reference's own primitives, run on
// views of the module's memory. So the backend is complete, and fast by degrees.

import { InternalError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, type Scalar, substituteScalar } from "../../ir/scalar.ts";
import { axisIndex } from "../../ir/index-map.ts";
import type { Kernel, Store } from "../../schedule/plan.ts";
import { runCheck, runContract, runMap, runRandom, runReduce, runScan, runScatter, runSort } from "../reference/primitives.ts";

/** Arrays of a plan's values: views where types are numeric. */
export interface HostMemory {
  read(value: Value): NDArray;
  write(value: Value, array: NDArray): void;
  copy(kernel: Extract<Kernel, { kind: "copy" }>): void;
}

/** Runs one kernel. @throws the error of a failing check or routine. */
export function runHostKernel(kernel: Kernel, memory: HostMemory): void {
  const read = (value: Value): NDArray => memory.read(value);
  switch (kernel.kind) {
    case "map":
      return writeStores(kernel.shape, kernel.stores, memory, read);
    case "reduce": {
      const total: Value = { id: -1, shape: kernel.shape, dtype: kernel.accumulator };
      const result = runReduce({ kind: "reduce", out: total, over: kernel.over, combine: kernel.combine, body: kernel.body }, read);
      return writeEpilogue(kernel.stores, total, result, memory);
    }
    case "contract": {
      const total: Value = { id: -1, shape: kernel.shape, dtype: kernel.left.source.dtype };
      const result = runContract({ kind: "contract", out: total, over: kernel.over, left: kernel.left, right: kernel.right }, read);
      return writeEpilogue(kernel.stores, total, result, memory);
    }
    case "scan":
      return memory.write(kernel.out, runScan(kernel, read));
    case "scatter":
      return memory.write(kernel.out, runScatter(kernel, read));
    case "sort": {
      const [values, indices] = runSort(kernel, read);
      memory.write(kernel.values, values);
      return memory.write(kernel.indices, indices);
    }
    case "random":
      return memory.write(kernel.out, runRandom(kernel, read));
    case "check":
      return runCheck(kernel, read);
    case "copy":
      return memory.copy(kernel);
    case "call":
      return runRoutine(kernel, memory);
    default:
      throw new InternalError(`A ${kernel.kind} is not run on the host.`);
  }
}

/** Bodies run over the kernel's own shape; an out may have another with as many elements. */
function writeStores(shape: readonly number[], stores: readonly Store[], memory: HostMemory, read: (value: Value) => NDArray): void {
  const results = stores.map(({ out, body }) => runMap({ kind: "map", out: { ...out, shape }, body }, read));
  stores.forEach(({ out }, i) => void memory.write(out, new NDArray(out.dtype, out.shape, results[i].data)));
}

/** Epilogues read the finished reduction as a load of a value of its own. */
function writeEpilogue(stores: readonly Store[], total: Value, result: NDArray, memory: HostMemory): void {
  const axes = total.shape.map((size, axis) => axisIndex(axis, size));
  const read = (value: Value): NDArray => (value === total ? result : memory.read(value));
  const bodies = stores.map(({ out, body }): Store => ({ out, body: substituteScalar(body, axes, load => load, finished(total, axes)) }));
  writeStores(total.shape, bodies, memory, read);
}

const finished = (total: Value, axes: Parameters<typeof loadScalar>[1]): Scalar => loadScalar(total, axes);

function runRoutine({ routine, inputs, outs }: Extract<Kernel, { kind: "call" }>, memory: HostMemory): void {
  // Routines read copies: outputs may share memory with inputs that die here.
  const given = inputs.map(value => memory.read(value));
  const outputs = outs.map(({ dtype, shape }) => NDArray.zeros(dtype, shape));
  routine.run(given, outputs);
  outs.forEach((value, i) => void memory.write(value, outputs[i]));
}
