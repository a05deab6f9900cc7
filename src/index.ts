// The public API: what `import * as tf from "tensorloom"` shows. TensorFlow's names, in camelCase, come from src/index/ (generated from what the
// rooms export and TensorFlow's own list); here is what TensorFlow has no name for, and the types that users write.
// Tensors get their operators (`x.add(y)`, `x.eval()`) when this module loads: the one thing in the house that happens at import.

import { attachMethods } from "./index/methods.ts";

export * as errors from "./base/errors.ts";
export { AssertionError, KeyError, LookupError, RuntimeError, ValueError } from "./base/errors.ts";
export * as autograph from "./library/autograph.ts";
export * as gfile from "./io/older-file-access.ts";
export * as version from "./graph/graph-version.ts";
export * as logging from "./base/logging.ts";
export { NDArray } from "./base/ndarray.ts";
export * as rawOps from "./index/raw-ops.ts";
export * from "./index/top-level.ts";
export * as timeline from "./formats/timeline.ts";
export * as test from "./session/built-with.ts";
export { exportGraphDef } from "./io/graph-def.ts";
export { loadTfjsGraphModel } from "./io/tfjs-graph-model.ts";
export { ellipsis, getItem } from "./ops/array/slicing.ts";

export type { TypedArray } from "./base/dtype.ts";
export type { ArrayLike, Complex, ElementValue, NestedArray } from "./base/ndarray.ts";
export type { ShapeLike } from "./base/shape.ts";
export type { TensorLike } from "./graph/conversion.ts";
export type { DeviceFunction } from "./graph/device.ts";
export type { NameScope, Scope } from "./graph/graph.ts";
export type { Named } from "./graph/op-definition.ts";
export type { GraphDefMessage, ImportGraphDefOptions } from "./io/graph-def.ts";
export type { TfjsGraphModel } from "./io/tfjs-graph-model.ts";
export type { FeedKey, Feeds, FeedValue } from "./session/feeds.ts";
export type { Activation } from "./library/layers/keras-activations.ts";
export type { CellResult } from "./library/layers/rnn-cell.ts";
export type { DynamicRaggedShape } from "./library/ragged/dynamic-ragged-shape.ts";
export type { Initializer } from "./library/variables/initializers.ts";
export type { Partitioner } from "./library/variables/partitioned-variable.ts";
export type { VariableCreator } from "./library/variables/variable-creators.ts";
export type { CustomGetter, Regularizer, VariableInitializer } from "./library/variables/variable-scope.ts";
export type { Constraint } from "./library/variables/variables.ts";
export type { Fetches, IndexedSlicesValue, Results } from "./session/fetches.ts";
export type { SessionConfig, SessionOptions } from "./session/session.ts";

attachMethods();
