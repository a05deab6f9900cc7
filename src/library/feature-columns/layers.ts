// What is done with feature columns: one wide tensor of all dense ones, a linear model of all, the features that a parser looks for.

import { ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { addN } from "../../ops/math/add-n.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { biasAdd } from "../../ops/nn/nn.ts";
import { safeEmbeddingLookupSparse } from "../../ops/nn/embedding-sparse.ts";
import { sparseReshape } from "../../ops/sparse/structure.ts";
import type { SparseTensor } from "../../graph/sparse-tensor.ts";
import type { Features } from "../features.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { zerosInitializer } from "../variables/initializers.ts";
import { ScopedLayer } from "../layers/layer-base.ts";
import { getVariableScope, type VariableScope, variableScope } from "../variables/variable-scope.ts";
import type { Variable } from "../variables/variables.ts";
import {
  byName,
  type CategoricalColumn,
  checkedColumns,
  type DenseColumn,
  FeatureCache,
  FeatureColumn,
  type FeatureTensors,
  isCategorical,
  isDense,
  sparseSizes,
} from "./column.ts";
import { refuseOthers } from "../../ops/arguments.ts";

type Columns = FeatureColumn | readonly FeatureColumn[];

interface LayerOptions {
  /** Collections for the variables, besides those of global and model variables. */
  readonly weightCollections?: readonly string[] | null;
  readonly trainable?: boolean | null;
  /** Is told the variables of each column. */
  readonly colsToVars?: Map<FeatureColumn | "bias", unknown> | null;
}

interface InputOptions extends LayerOptions {
  /** Is told what each column gave. */
  readonly colsToOutputTensors?: Map<FeatureColumn, Tensor> | null;
}

const collectionsOf = (given: readonly string[] | null | undefined): readonly string[] => [
  ...new Set([...(given ?? []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]),
];

/** @throws ValueError if the batches of two columns are known to differ. */
function checkBatches(tensors: readonly Tensor[], columns: readonly FeatureColumn[]): void {
  const sizes = tensors.map(tensor => tensor.shape.dim(0));
  const first = sizes.findIndex(size => size !== null);
  const other = sizes.findIndex(size => size !== null && size !== sizes[first]);
  if (other >= 0)
    throw new ValueError(
      `Batch size (first dimension) of each feature must be same. Batch size of columns (${columns[first].name}, ${columns[other].name}): (${sizes[first]}, ${sizes[other]})`,
    );
}

/** `[batch, elements of the column]`. */
function flattened(column: DenseColumn, tensor: Tensor): Tensor {
  const batch = getItem(shapeOf(tensor), 0);
  return reshape(tensor, [batch, column.variableShape.size ?? -1]);
}

/** All dense columns side by side, in the order of their names: `[batch, all elements]`. TF: tf.feature_column.input_layer. */
export function inputLayer(
  features: FeatureTensors,
  featureColumns: Columns,
  { weightCollections, trainable, colsToVars, colsToOutputTensors, ...others }: InputOptions = {},
): Tensor {
  refuseOthers(others);
  const columns = checkedColumns(featureColumns);
  for (const column of columns)
    if (!isDense(column))
      throw new ValueError(
        `Items of feature_columns must be a _DenseColumn. You can wrap a categorical column with an embedding_column or indicator_column. Given: ${column}`,
      );
  const weights = { collections: collectionsOf(weightCollections), trainable: trainable ?? true };
  return variableScope(null, { defaultName: "input_layer", values: Object.values(features) }, () => {
    const cache = new FeatureCache(features);
    const sorted = [...columns].sort(byName) as DenseColumn[];
    const outputs = sorted.map(column =>
      variableScope(null, { defaultName: column.scopeName }, () => {
        const output = flattened(column, column.denseTensor(cache, weights));
        colsToVars?.set(column, variablesOf(getVariableScope().name));
        colsToOutputTensors?.set(column, output);
        return output;
      }),
    );
    checkBatches(outputs, sorted);
    return concat(outputs, 1);
  });
}

const variablesOf = (scope: string): Variable[] => getDefaultGraph().getCollection(GraphKeys.GLOBAL_VARIABLES, scope) as Variable[];

// ---- the linear model ----

interface LinearOptions extends LayerOptions {
  /** Numbers for each example, 1. */
  readonly units?: number | null;
  /** How the weights of several ids become one: "sum", "mean" or "sqrtn". */
  readonly sparseCombiner?: "sum" | "mean" | "sqrtn" | null;
}

interface Settings {
  readonly units: number;
  readonly combiner: "sum" | "mean" | "sqrtn";
  readonly collections: readonly string[];
  readonly trainable: boolean;
}

function collect(variable: Variable, collections: readonly string[]): void {
  for (const collection of collections) if (collection !== GraphKeys.GLOBAL_VARIABLES) variable.graph.addToCollection(collection, variable);
}

/** The part of one column: its weights, and their sum over what an example has. */
class ColumnLayer extends ScopedLayer {
  readonly column: FeatureColumn;
  private readonly settings: Settings;
  private weight: Variable | null = null;
  constructor(column: FeatureColumn, name: string, settings: Settings) {
    super("fc_linear_wrapper", { trainable: settings.trainable, name });
    this.column = column;
    this.settings = settings;
  }
  override apply(cache: FeatureCache): Tensor {
    const { column, settings } = this;
    return this.inScope(getDefaultGraph(), () => {
      const rows = isCategorical(column) ? column.numBuckets : ((column as DenseColumn).variableShape.size ?? 0);
      this.weight ??= this.addWeight("weights", { shape: [rows, settings.units], dtype: "float32", initializer: zerosInitializer() });
      collect(this.weight, settings.collections);
      return isCategorical(column)
        ? sumOfIds(column, cache, this.weight, settings)
        : matmul(flattened(column as DenseColumn, (column as DenseColumn).denseTensor(cache, settings)), this.weight, {
            name: "weighted_sum",
          });
    });
  }
}

const byRows = (sparse: SparseTensor): SparseTensor => sparseReshape(sparse, [getItem(sparseSizes(sparse), 0), -1]);

function sumOfIds(column: CategoricalColumn, cache: FeatureCache, table: Variable, { combiner }: Settings): Tensor {
  const { ids, weights } = column.weightedIds(cache);
  const rows = byRows(ids);
  return safeEmbeddingLookupSparse(table, rows, { sparseWeights: weights && byRows(weights), combiner, name: "weighted_sum" });
}

class BiasLayer extends ScopedLayer {
  private readonly settings: Settings;
  constructor(settings: Settings) {
    super("bias_layer", { trainable: settings.trainable, name: "bias_layer" });
    this.settings = settings;
  }
  override apply(scope: VariableScope): Variable {
    return this.inScope(
      getDefaultGraph(),
      () => {
        const bias = this.addWeight("bias_weights", { shape: [this.settings.units], dtype: "float32", initializer: zerosInitializer() });
        collect(bias, this.settings.collections);
        return bias;
      },
      scope,
    );
  }
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
/** A scope that is opened for its name alone. */
const uniqueScope = (defaultName: string): string => variableScope(null, { defaultName }, scope => lastPart(scope.name));

/** A weight for each number and each id, summed, and a bias: `[batch, units]`. TF: tf.feature_column.linear_model. */
export function linearModel(
  features: FeatureTensors,
  featureColumns: Columns,
  { units, sparseCombiner, weightCollections, trainable, colsToVars, ...others }: LinearOptions = {},
): Tensor {
  refuseOthers(others);
  const name = uniqueScope("linear_model");
  const columns = checkedColumns(featureColumns);
  const collections = collectionsOf(weightCollections);
  const settings: Settings = { units: units ?? 1, combiner: sparseCombiner ?? "sum", collections, trainable: trainable ?? true };
  const layers = [...columns]
    .sort(byName)
    .map(column => ({ column, layer: new ColumnLayer(column, uniqueScope(column.scopeName), settings) }));
  const biasLayer = new BiasLayer(settings);
  const graph = getDefaultGraph();
  return graph.nameScope(name, () =>
    variableScope(name, () => {
      for (const column of columns)
        if (!isDense(column) && !isCategorical(column))
          throw new ValueError(`Items of feature_columns must be either a _DenseColumn or _CategoricalColumn. Given: ${column}`);
      const cache = new FeatureCache(features);
      const ordered = layers.sort((a, b) => byName(a.layer, b.layer));
      const sums = ordered.map(({ column, layer }) => {
        const sum = layer.apply(cache);
        colsToVars?.set(column, variablesOf(layer.scopeName));
        return sum;
      });
      checkBatches(
        sums,
        ordered.map(({ column }) => column),
      );
      const withoutBias = addN(sums, { name: "weighted_sum_no_bias" });
      const bias = biasLayer.apply(getVariableScope());
      colsToVars?.set("bias", [bias]);
      return biasAdd(withoutBias, convertToTensor(bias), { name: "weighted_sum" });
    }),
  );
}

// ---- parsing ----

/** The features that columns need, for tf.parseExample. TF: tf.feature_column.make_parse_example_spec.
 *  @throws ValueError if two columns want one feature in two ways. */
export function makeParseExampleSpec(featureColumns: readonly FeatureColumn[]): Record<string, Features[string]> {
  const result: Record<string, Features[string]> = {};
  for (const column of featureColumns) {
    if (!(column instanceof FeatureColumn))
      throw new ValueError(`All feature_columns must be _FeatureColumn instances. Given: ${pythonStr(column)}`);
    for (const [key, value] of Object.entries(column.parseExampleSpec)) {
      if (Object.hasOwn(result, key) && JSON.stringify(result[key]) !== JSON.stringify(value))
        throw new ValueError(
          `feature_columns contain different parse_spec for key ${key}. Given ${JSON.stringify(value)} and ${JSON.stringify(result[key])}`,
        );
      result[key] = value;
    }
  }
  return result;
}
