// Variables that begin with what another model learned: by name, and row by row or column by column where these belong to the words of a
// vocabulary that has changed. TF: tf.train.warm_start (warm_starting_util.py, checkpoint_ops.py).

import { ValueError } from "../base/errors.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { type Initializer, zerosInitializer } from "../library/variables/initializers.ts";
import { PartitionedVariable } from "../library/variables/partitioned-variable.ts";
import { Variable } from "../library/variables/variables.ts";
import { constant, reshape } from "../ops/array/array.ts";
import { concat } from "../ops/array/slicing.ts";
import { LoadAndRemapMatrix, vocabularyPlaces } from "../ops/state/checkpoint-remapping.ts";
import { checkpointPath } from "./saver-checkpoints.ts";
import { initFromCheckpoint } from "./saver-initialize.ts";
import { refuseOthers } from "../ops/arguments.ts";

interface VocabularyOptions {
  /** How many words of the old vocabulary were used; -1: all. */
  readonly oldVocabSize?: number;
  /** What rows of new words begin with; zeros by default. */
  readonly backupInitializer?: Initializer | null;
  /** 0: rows belong to words; 1: columns do. */
  readonly axis?: 0 | 1;
}

/** The vocabularies (files of a word a line) that a variable's rows or columns belong to, now and in the checkpoint. TF: tf.train.VocabInfo.
 *  @throws ValueError for an axis other than 0 and 1. */
class VocabularyChange {
  readonly newVocab: string;
  readonly newVocabSize: number;
  readonly numOovBuckets: number;
  readonly oldVocab: string;
  readonly oldVocabSize: number;
  readonly backupInitializer: Initializer | null;
  readonly axis: number;

  constructor(newVocab: string, newVocabSize: number, numOovBuckets: number, oldVocab: string, options: VocabularyOptions = {}) {
    const { oldVocabSize = -1, backupInitializer = null, axis = 0 } = options;
    if (axis !== 0 && axis !== 1)
      throw new ValueError(`The only supported values for the axis argument are 0 and 1.  Provided axis: ${axis}`);
    this.newVocab = newVocab;
    this.newVocabSize = newVocabSize;
    this.numOovBuckets = numOovBuckets;
    this.oldVocab = oldVocab;
    this.oldVocabSize = oldVocabSize;
    this.backupInitializer = backupInitializer;
    this.axis = axis;
  }
}
export { VocabularyChange as VocabInfo };

interface WarmStartOptions {
  /** A pattern of trainable variables' names, patterns of all variables' names, or variables; null: only those with a vocabulary. */
  readonly varsToWarmStart?: string | readonly string[] | readonly (Variable | PartitionedVariable)[] | null;
  readonly varNameToVocabInfo?: Readonly<Record<string, VocabularyChange>> | null;
  /** Names in the checkpoint, where they differ. */
  readonly varNameToPrevVarName?: Readonly<Record<string, string>> | null;
}

/** Lets variables begin with the values of a checkpoint, or of the latest in a folder, when their initializers run. To be awaited before they do.
 *  TF: tf.train.warm_start. @throws ValueError for names that no variable has, missing tensors and shapes that differ. */
export async function warmStart(ckptToInitializeFrom: string, options: WarmStartOptions = {}): Promise<void> {
  const { varsToWarmStart = ".*", varNameToVocabInfo, varNameToPrevVarName, ...others } = options;
  refuseOthers(others);
  const [vocabularies, renamed] = [varNameToVocabInfo ?? {}, varNameToPrevVarName ?? {}];
  const graph = getDefaultGraph();
  const path = await checkpointPath(ckptToInitializeFrom);
  const grouped = groupedVariables(graph, varsToWarmStart);
  refuseUnused("var_name_to_prev_var_name", Object.keys(renamed), grouped);
  refuseUnused("var_name_to_vocab_info", Object.keys(vocabularies), grouped);
  const plain = new Map<string, readonly Variable[]>();
  for (const [name, parts] of grouped) {
    const source = renamed[name] ?? name;
    const vocabulary = vocabularies[name];
    if (vocabulary) await beginWithWords(graph, parts, path, source, vocabulary);
    else if (varsToWarmStart !== null && !plain.has(source)) plain.set(source, parts);
    // Two variables may begin with the same tensor.
    else if (varsToWarmStart !== null) await initIn(graph, path, new Map([[source, parts]]));
  }
  await initIn(graph, path, plain);
}

async function initIn(graph: Graph, path: string, map: ReadonlyMap<string, readonly Variable[]>): Promise<void> {
  using _default = graph.asDefault();
  await initFromCheckpoint(path, map);
}

function refuseUnused(argument: string, given: readonly string[], grouped: ReadonlyMap<string, unknown>): void {
  const unused = given.filter(name => !grouped.has(name));
  if (unused.length > 0)
    throw new ValueError(
      `You provided the following variables in ${argument} that were not used: {${unused.map(name => `'${name}'`).join(", ")}}.  Perhaps you misspelled them?  Here is the list of viable variable names: dict_keys([${[...grouped.keys()].map(name => `'${name}'`).join(", ")}])`,
    );
}

/** Variables by the name they have in checkpoints, parts together. */
function groupedVariables(graph: Graph, wanted: WarmStartOptions["varsToWarmStart"]): Map<string, Variable[]> {
  const grouped = new Map<string, Variable[]>();
  for (const variable of chosenVariables(graph, wanted)) {
    const name = variable.saveSliceInfo?.fullName ?? variable.op.name;
    grouped.set(name, [...(grouped.get(name) ?? []), variable]);
  }
  return grouped;
}

function chosenVariables(graph: Graph, wanted: WarmStartOptions["varsToWarmStart"]): readonly Variable[] {
  if (wanted === null || wanted === undefined || typeof wanted === "string")
    return graph.getCollection(GraphKeys.TRAINABLE_VARIABLES, wanted);
  if (!Array.isArray(wanted)) throw new ValueError(`\`vars_to_warm_start must be a \`list\` or \`str\`.  Given type is ${typeof wanted}`);
  const list = wanted as readonly (string | Variable | PartitionedVariable)[];
  const patterns = list.filter(item => typeof item === "string");
  if (patterns.length === list.length)
    return patterns.flatMap(pattern => graph.getCollection(GraphKeys.GLOBAL_VARIABLES, pattern) as Variable[]);
  const variables = list.flatMap(item => (item instanceof PartitionedVariable ? item.parts : item instanceof Variable ? [item] : []));
  if (patterns.length > 0 || variables.length === 0)
    throw new ValueError("If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.");
  return variables;
}

// ---- by words ----

async function beginWithWords(
  graph: Graph,
  parts: readonly Variable[],
  path: string,
  source: string,
  vocabulary: VocabularyChange,
): Promise<void> {
  const { newVocab, newVocabSize, oldVocab } = vocabulary;
  if (!newVocab || !newVocabSize || !oldVocab)
    throw new ValueError("Invalid args: Must provide all of [current_vocab_path, current_vocab_size, prev_ckpt, prev_vocab_path}.");
  const height = parts.reduce((sum, part) => sum + part.shape.asNumbers()[0], 0);
  for (const part of parts) {
    const place = placeOf(part, vocabulary, height);
    const { axis } = vocabulary;
    // Columns are never cut, so each part has all of them.
    const words =
      axis === 0 ? await vocabularyPlaces(vocabulary, place.offset, place.loaded) : await vocabularyPlaces(vocabulary, 0, newVocabSize);
    graph.asDefault(() => {
      const value = remapped(place, path, source, vocabulary, words);
      part.initializer = part.assign(value, { readValue: false }) as Operation;
      part.initialValue = value;
    });
  }
}

interface Place {
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
  /** Of its rows, so many belong to words or to the old matrix; those behind are of unknown words. */
  readonly loaded: number;
}

/** Where a part's rows are in the whole. @throws ValueError with TensorFlow's texts if vocabulary and shape do not go together. */
function placeOf(part: Variable, { newVocabSize, numOovBuckets, axis }: VocabularyChange, height: number): Place {
  const [rows, columns] = part.shape.withRank(2).asNumbers();
  const offset = part.saveSliceInfo?.varOffset[0] ?? 0;
  const [allRows, oovRows] = axis === 0 ? [newVocabSize, numOovBuckets] : [height, 0];
  if (axis === 1 && columns !== newVocabSize + numOovBuckets)
    throw new ValueError(
      `Expected 2nd dim of shape to be new_col_vocab_size (${newVocabSize}) + num_col_oov_buckets (${numOovBuckets}) = ${newVocabSize + numOovBuckets}, but received shape: [${rows}, ${columns}]`,
    );
  if (offset + rows > allRows + oovRows)
    throw new ValueError(
      `Trying to initialize ${rows} additional rows after ${offset} rows have already been initialized, which would exceed expected total row count of new_row_vocab_size (${allRows}) + num_row_oov_buckets (${oovRows}) = ${allRows + oovRows}.`,
    );
  return { rows, columns, offset, loaded: rows - Math.min(rows, Math.max(0, offset + rows - allRows)) };
}

/** What a variable, or a part of one, begins with. */
function remapped(
  { rows, columns, offset, loaded }: Place,
  path: string,
  source: string,
  vocabulary: VocabularyChange,
  words: readonly bigint[],
): Tensor {
  const { newVocabSize, axis } = vocabulary;
  const begin: Initializer = vocabulary.backupInitializer ?? zerosInitializer();
  if (loaded === 0) return begin([rows, columns]);
  const width = axis === 0 ? columns : newVocabSize;
  const known = words.filter(place => place >= 0n).length;
  const missing = loaded * width - (axis === 0 ? known * width : loaded * known);
  const same = Array.from({ length: loaded }, (_, i) => BigInt(offset + i));
  const matrix = LoadAndRemapMatrix({
    ckptPath: path,
    oldTensorName: source,
    rowRemapping: constant(axis === 0 ? words : same, "int64"),
    colRemapping: constant(axis === 0 ? [] : words, "int64"),
    initializingValues: missing === 0 ? constant([], "float32") : reshape(begin([missing, 1]), [-1]),
    numRows: loaded,
    numCols: width,
  });
  const withRows = loaded < rows ? concat([matrix, begin([rows - loaded, width])], 0) : matrix;
  return width < columns ? concat([withRows, begin([rows, columns - width])], 1) : withRows;
}
