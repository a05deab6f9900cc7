// Methods of graph objects that belong to rooms the graph does not know: operators on tensors and variables, running, export.

import { type GraphDef, NodeDef } from "../formats/message-types.ts";
import { Graph } from "../graph/graph.ts";
import { type AsTensor, castOperator, describe, type TensorLike } from "../graph/conversion.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { Operation, Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import type { TensorOperators } from "../graph/tensor-operators.ts";
import { exportGraphDef, type ExportGraphDefOptions } from "../io/graph-def.ts";
import { nodeOf } from "../io/node-message.ts";
import { Variable } from "../library/variables/variables.ts";
import { Cast } from "../ops/math/cast.ts";
import { slicesToTensor } from "../ops/math/segment.ts";
import { attachOperators } from "../ops/operators.ts";
import { sparseDiv, sparseMul, sparseTruediv } from "../ops/sparse/dense.ts";
import { evaluateConstants } from "../session/evaluate-alone.ts";
import { type EvaluateOptions, evaluateSparse, evaluateTensor, runOperation } from "../session/evaluate.ts";
import type { DType } from "../base/dtype.ts";
import { Dimension } from "../base/dimension.ts";
import { DType as ElementType } from "../base/dtype-class.ts";
import { ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import type { Feeds } from "../session/feeds.ts";
import { SparseTensorValue } from "../session/fetches.ts";
import { Session } from "../session/session.ts";

declare module "../graph/operation.ts" {
  interface Tensor {
    /** The value, computed in `session` or the default session. TF: Tensor.eval. */
    eval(feedDict?: Feeds | null, session?: Session | null): Promise<NDArray>;
    eval(options: EvaluateOptions): Promise<NDArray>;
  }
  interface Operation {
    /** Runs the operation in `session` or the default session. TF: Operation.run. */
    run(feedDict?: Feeds | null, session?: Session | null): Promise<void>;
    run(options: EvaluateOptions): Promise<void>;
    /** The operation as a NodeDef message. TF: Operation.node_def. */
    readonly nodeDef: NodeDef;
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
    /** What the parts are, computed in `session` or the default session. TF: SparseTensor.eval. */
    eval(feedDict?: Feeds | null, session?: Session | null): Promise<SparseTensorValue>;
    eval(options: EvaluateOptions): Promise<SparseTensorValue>;
    /** The elements multiplied with those of a dense tensor that is broadcast to this one's shape. TF: SparseTensor.__mul__. */
    mul(y: TensorLike): SparseTensor;
    /** The same divided; integers truncate. TF: SparseTensor.__truediv__. */
    truediv(y: TensorLike): SparseTensor;
    div(y: TensorLike): SparseTensor;
  }
}

declare module "../session/session.ts" {
  interface Session {
    /** The session's graph as a GraphDef message. TF: Session.graph_def. */
    readonly graphDef: GraphDef;
  }
}

declare module "../graph/graph.ts" {
  interface Graph {
    /** The graph as a GraphDef message. TF: Graph.as_graph_def. */
    asGraphDef(options?: ExportGraphDefOptions): GraphDef;
  }
}

/** Which classes of objects are printed in a line, alone and inside of others, as Python prints them. What they hold would fill pages: every tensor leads to its whole graph. */
// any: each function takes the objects of its class
type Printed = readonly [type: { readonly prototype: object }, alone: (object: any) => string, inside?: (object: any) => string];
const printed = (): readonly Printed[] => [
  [Tensor, String, describe],
  [Operation, String, (op: Operation) => `<tf.Operation '${op.name}' type=${op.type}>`],
  [Variable, String],
  [SparseTensor, String],
  [SparseTensorValue, String],
  [IndexedSlices, String],
  [
    TensorShape,
    String,
    (shape: TensorShape) => `TensorShape(${shape.dims === null ? null : `[${shape.dims.map(size => size ?? "None").join(", ")}]`})`,
  ],
  [Dimension, String, (size: { value: number | null }) => `Dimension(${size.value ?? "None"})`],
  [ElementType, String],
  [NDArray, String, (array: NDArray) => `array(${array}, dtype=${array.dtype})`],
  [Graph, (graph: Graph) => `<tf.Graph of ${graph.getOperations().length} operations>`],
  [Session, (session: Session) => `<tf.Session of ${session.graph.getOperations().length} operations>`],
];

function attachPrinting(): void {
  for (const [type, alone, inside = alone] of printed())
    define(type, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: object, depth: number | null, options: { depth?: number | null }) {
        return depth === options.depth ? alone(this) : inside(this);
      },
    });
}

const define = (target: { readonly prototype: object }, name: string | symbol, descriptor: PropertyDescriptor): void => {
  if (!Object.hasOwn(target.prototype, name)) Object.defineProperty(target.prototype, name, { configurable: true, ...descriptor });
};

/** Attaches them all; again is harmless. */
export function attachMethods(): void {
  attachOperators(Tensor);
  attachOperators(Variable);
  attachPrinting();
  define(Tensor, castOperator, {
    value(this: Tensor, dtype: DType) {
      return Cast({ x: this, DstT: dtype });
    },
  });
  for (const [name, operator] of Object.entries({ mul: sparseMul, truediv: sparseTruediv, div: sparseDiv }))
    define(SparseTensor, name, {
      writable: true,
      value(this: SparseTensor, y: TensorLike) {
        return operator(this, y);
      },
    });
  define(SparseTensor, "eval", {
    writable: true,
    value(this: SparseTensor, feedDict?: Feeds | EvaluateOptions | null, session?: Session | null) {
      return evaluateSparse(this, feedDict, session);
    },
  });
  define(Tensor, "eval", {
    writable: true,
    value(this: Tensor, feedDict?: Feeds | EvaluateOptions | null, session?: Session | null) {
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
    value(this: Operation, feedDict?: Feeds | EvaluateOptions | null, session?: Session | null) {
      return runOperation(this, feedDict, session);
    },
  });
  define(Operation, "nodeDef", {
    get(this: Operation) {
      return NodeDef.of(nodeOf(this));
    },
  });
  define(Session, "graphDef", {
    get(this: Session) {
      return exportGraphDef(this.graph);
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
