// Tables of the pairs that a dataset gives. TF: tf.data.experimental.{DatasetInitializer,table_from_dataset,index_table_from_dataset}.

import { type DType, isFloating, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { InitializeTableFromDataset } from "../../ops/data/dataset-rarer.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { cast } from "../../ops/math/cast.ts";
import { StaticHashTable, StaticVocabularyTable, type TableInitializer } from "../lookup.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import type { Dataset } from "./dataset.ts";
import { ComponentSpec } from "./element-spec.ts";
import { assertCardinality } from "./experimental.ts";

const pairs =
  "Datasets used to initialize lookup tables must produce elements in the form (key, value), where the keys and values are scalar tensors. ";

/** @throws ValueError unless the elements are pairs of scalars. */
function pairOf({ elementSpec }: Dataset): readonly [ComponentSpec, ComponentSpec] {
  if (!Array.isArray(elementSpec)) throw new TypeError("object of type 'TensorSpec' has no len()");
  if (elementSpec.length !== 2)
    throw new ValueError(
      `${pairs}However, the given dataset produces ${elementSpec.length} components instead of two (key, value) components.`,
    );
  for (const [i, what] of ["key", "value"].entries()) {
    const spec: unknown = elementSpec[i];
    if (!(spec instanceof ComponentSpec) || spec.inner !== undefined)
      throw new ValueError(`${pairs}However, the given dataset produces non-Tensor ${what}s.`);
    const { rank } = spec.shape;
    if (rank !== null && rank !== 0)
      throw new ValueError(`${pairs}However, the given dataset produces non-scalar ${what} Tensors of rank ${rank}.`);
  }
  return elementSpec as unknown[] as [ComponentSpec, ComponentSpec];
}

/** Fills a table with a dataset's pairs of a key and a value. TF: tf.data.experimental.DatasetInitializer.
 *  @throws ValueError for elements that are no pairs of scalars. */
export class DatasetInitializer implements TableInitializer {
  readonly dataset: Dataset;
  readonly keyDtype: DType;
  readonly valueDtype: DType;

  constructor(dataset: Dataset) {
    const [key, value] = pairOf(dataset);
    this.dataset = dataset;
    this.keyDtype = key.dtype;
    this.valueDtype = value.dtype;
  }

  initialize({ resourceHandle }: { readonly resourceHandle: Tensor }): Operation {
    const operation = InitializeTableFromDataset({ tableHandle: resourceHandle, dataset: this.dataset.variantTensor });
    resourceHandle.graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, operation);
    return operation;
  }
}

interface TableOptions extends Named {
  /** So many ids behind those of the table, by hash, for what is not in it. */
  readonly numOovBuckets?: number;
  /** So many elements of the dataset; a run fails that finds fewer. */
  readonly vocabSize?: number | Tensor | null;
  readonly defaultValue?: TensorLike | null;
  readonly keyDtype?: DType;
}

/** A table of a dataset's pairs of a key and a value. TF: tf.data.experimental.table_from_dataset. @throws ValueError for sizes that cannot be. */
export function tableFromDataset(
  dataset: Dataset,
  { numOovBuckets = 0, vocabSize = null, defaultValue = null, keyDtype = "string", name }: TableOptions = {},
): StaticHashTable | StaticVocabularyTable {
  const [, { dtype }] = pairOf(dataset);
  if (defaultValue === null && !isInteger(dtype) && !isFloating(dtype))
    throw new ValueError(
      `\`default_value\` must be specified when creating a table from a dataset that produces values of type <dtype: '${dtype}'>.`,
    );
  if (numOovBuckets < 0) throw new ValueError(`\`num_oov_buckets\` must be greater than or equal to 0, got ${numOovBuckets}.`);
  if (typeof vocabSize === "number" && vocabSize < 1) throw new ValueError(`\`vocab_size\` must be greater than 0, got ${vocabSize}.`);
  if (!isInteger(keyDtype) && keyDtype !== "string")
    throw new TypeError(`\`key_dtype\` must be either an integer or string type, but got <dtype: '${keyDtype}'>`);
  let used = dataset;
  if (vocabSize !== null) {
    const size = vocabSize instanceof Tensor ? cast(vocabSize, "int64") : vocabSize;
    used = used.take(size).apply(assertCardinality(size));
  }
  const graph = getDefaultGraph();
  return graph.nameScope(name ?? "string_to_index", () => {
    const initializer = new DatasetInitializer(used);
    return graph.nameScope("hash_table", () => {
      if (numOovBuckets === 0) return new StaticHashTable(initializer, defaultValue ?? -1);
      return new StaticVocabularyTable(initializer, numOovBuckets, { lookupKeyDtype: keyDtype });
    });
  });
}

/** A table from a dataset's elements to their places in it, int64. TF: tf.data.experimental.index_table_from_dataset. */
export function indexTableFromDataset(dataset: Dataset, options: TableOptions = {}): StaticHashTable | StaticVocabularyTable {
  const placed = dataset.enumerate().map((place: Tensor, word: Tensor) => [word, place]);
  return tableFromDataset(placed, { defaultValue: -1n, ...options });
}
