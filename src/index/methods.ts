// Methods of graph objects that belong to rooms the graph does not know: operators on tensors and variables, running, export.

import { Graph } from "../graph/graph.ts";
import type { AsTensor, TensorLike } from "../graph/conversion.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { Operation, Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import type { TensorOperators } from "../graph/tensor-operators.ts";
import { exportGraphDef, type ExportGraphDefOptions, type GraphDefMessage } from "../io/graph-def.ts";
import { nodeOf } from "../io/node-message.ts";
import { Variable } from "../library/variables/variables.ts";
import { slicesToTensor } from "../ops/math/segment.ts";
import { attachOperators } from "../ops/operators.ts";
import { sparseDiv, sparseMul, sparseTruediv } from "../ops/sparse/dense.ts";
import { evaluateConstants } from "../session/evaluate-alone.ts";
import { evaluateTensor, runOperation } from "../session/evaluate.ts";
import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Session } from "../session/session.ts";

declare module "../graph/operation.ts" {
  interface Tensor {
    /** The value, computed in `session` or the default session. TF: Tensor.eval. */
    eval(feedDict?: Feeds | null, session?: Session | null): Promise<NDArray>;
  }
  interface Operation {
    /** Runs the operation in `session` or the default session. TF: Operation.run. */
    run(feedDict?: Feeds | null, session?: Session | null): Promise<void>;
    /** The operation as a NodeDef message. TF: Operation.node_def. */
    readonly nodeDef: GraphDefMessage["node"][number];
  }
}

declare module "../library/variables/variables.ts" {
  interface Variable extends TensorOperators {}
}

declare module "../graph/indexed-slices.ts" {
  /** Slices stand for the whole tensor wherever one is wanted: the sum of their rows. */
  interface IndexedSlices extends AsTensor {}
}

declare module "../graph/sparse-tensor.ts" {
  interface SparseTensor {
    /** The elements multiplied with those of a dense tensor that is broadcast to this one's shape. TF: SparseTensor.__mul__. */
    mul(y: TensorLike): SparseTensor;
    /** The same divided; integers truncate. TF: SparseTensor.__truediv__. */
    truediv(y: TensorLike): SparseTensor;
    div(y: TensorLike): SparseTensor;
  }
}

declare module "../graph/graph.ts" {
  interface Graph {
    /** The graph as a GraphDef message. TF: Graph.as_graph_def. */
    asGraphDef(options?: ExportGraphDefOptions): GraphDefMessage;
  }
}

const define = (target: { readonly prototype: object }, name: string, descriptor: PropertyDescriptor): void => {
  if (!Object.hasOwn(target.prototype, name)) Object.defineProperty(target.prototype, name, { configurable: true, ...descriptor });
};

/** Attaches them all; again is harmless. */
export function attachMethods(): void {
  attachOperators(Tensor);
  attachOperators(Variable);
  for (const [name, operator] of Object.entries({ mul: sparseMul, truediv: sparseTruediv, div: sparseDiv }))
    define(SparseTensor, name, {
      writable: true,
      value(this: SparseTensor, y: TensorLike) {
        return operator(this, y);
      },
    });
  define(Tensor, "eval", {
    writable: true,
    value(this: Tensor, feedDict?: Feeds | null, session?: Session | null) {
      return evaluateTensor(this, feedDict, session);
    },
  });
  define(IndexedSlices, "asGraphTensor", {
    writable: true,
    value(this: IndexedSlices, { dtype, name }: { dtype?: DType; name?: string }) {
      if (dtype !== undefined && dtype !== this.dtype)
        throw new ValueError(
          `Incompatible tensor conversion requested to \`dtype\` ${dtype} for IndexedSlices (${this}) with dtype ${this.dtype}`,
        );
      return slicesToTensor(this, { name });
    },
  });
  define(Operation, "run", {
    writable: true,
    value(this: Operation, feedDict?: Feeds | null, session?: Session | null) {
      return runOperation(this, feedDict, session);
    },
  });
  define(Operation, "nodeDef", {
    get(this: Operation) {
      return nodeOf(this);
    },
  });
  define(Graph, "evaluateConstants", { value: evaluateConstants });
  define(Graph, "asGraphDef", {
    writable: true,
    value(this: Graph, options?: ExportGraphDefOptions) {
      return exportGraphDef(this, options);
    },
  });
}
