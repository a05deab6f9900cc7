// Tables as TensorFlow's classes: StaticHashTable and its initializers, StaticVocabularyTable, and the tables that programs change. TF: tf.lookup.

import { type DType, isDType, isInteger, noDtype } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Named } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { SparseTensor } from "../graph/sparse-tensor.ts";
import { whereV2 } from "../ops/array/selection.ts";
import { group, noOp } from "../ops/flow/control-flow.ts";
import {
  AnonymousHashTable,
  AnonymousMutableDenseHashTable,
  AnonymousMutableHashTable,
  AnonymousMutableHashTableOfTensors,
  HashTableV2,
  LookupTableExportV2,
  LookupTableFindV2,
  LookupTableImportV2,
  LookupTableInsertV2,
  LookupTableRemoveV2,
  LookupTableSizeV2,
  MutableDenseHashTableV2,
  MutableHashTableOfTensorsV2,
  MutableHashTableV2,
} from "../ops/data/lookup.ts";
import { InitializeTableFromTextFileV2 } from "../ops/data/lookup-files.ts";
import { AddV2 } from "../ops/math/math.ts";
import { cast } from "../ops/math/cast.ts";
import { NotEqual } from "../ops/math/comparison.ts";
import { inNameScope, named, type NameOption } from "../ops/named.ts";
import { asString, stringToHashBucketFast } from "../ops/string/string.ts";
import { GraphKeys } from "./variables/graph-keys.ts";
import { refuseOthers } from "../ops/arguments.ts";
import type { RaggedTensor } from "./ragged/ragged-tensor.ts";

/** What fills a table. */
export interface TableInitializer {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  /** Makes the operation that fills `table`. */
  initialize(table: { readonly resourceHandle: Tensor }): Operation;
}

/** Runs the initializers of all tables in the graph. TF: tf.tables_initializer. */
export function tablesInitializer(options: NameOption = {}): Operation {
  const name = named(options).name ?? "init_all_tables";
  const initializers = getDefaultGraph().getCollection(GraphKeys.TABLE_INITIALIZERS) as Operation[];
  return initializers.length > 0 ? group(...initializers, { name }) : noOp({ name });
}

/** The old name of tablesInitializer. TF: tf.initialize_all_tables. */
export const initializeAllTables = tablesInitializer;

interface KeyValueOptions extends Named {
  readonly keyDtype?: DType | null;
  readonly valueDtype?: DType | null;
}

/** Fills a table with the given keys and values, of one shape. TF: tf.lookup.KeyValueTensorInitializer. */
export class KeyValueTensorInitializer implements TableInitializer {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  private readonly keys: Tensor;
  private readonly values: Tensor;
  private readonly name: Named["name"];

  constructor(keys: TensorLike, values: TensorLike, { keyDtype, valueDtype, name, ...others }: KeyValueOptions = {}) {
    refuseOthers(others);
    this.keys = convertToTensor(keys, { dtype: keyDtype ?? undefined, name: "keys" });
    this.values = convertToTensor(values, { dtype: valueDtype ?? undefined, name: "values" });
    this.keyDtype = this.keys.dtype;
    this.valueDtype = this.values.dtype;
    this.name = name ?? "key_value_init";
  }

  initialize({ resourceHandle }: { readonly resourceHandle: Tensor }): Operation {
    const { keys, values } = this;
    const operation = inNameScope({ name: this.name }, "key_value_init", [resourceHandle, keys, values], () =>
      LookupTableImportV2({ tableHandle: resourceHandle, keys, values }),
    );
    resourceHandle.graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, operation);
    return operation;
  }
}

/** What stands for a column of TextFileInitializer. TF: tf.lookup.TextFileIndex. */
export class TextFileIndex {
  static readonly WHOLE_LINE = -2;
  static readonly LINE_NUMBER = -1;
}

interface TextFileOptions extends Named {
  /** How many lines the file has, if that is known. */
  readonly vocabSize?: number | null;
  readonly delimiter?: string;
  /** Lines that are left out at the beginning. */
  readonly valueIndexOffset?: number;
}

/** @throws ValueError for an index or type that cannot be. */
function checkColumn(what: "key" | "value", index: number, dtype: DType): void {
  if (index < -2) throw new ValueError(`\`${what}_index\` should be >= -2, received: ${index}.`);
  if (index === TextFileIndex.LINE_NUMBER && dtype !== "int64")
    throw new ValueError(
      `\`${what}_dtype\` must be int64 ${what === "key" ? "if `key_index` is" : "for `value_index`"} ${index}, received: <dtype: '${dtype}'>`,
    );
  if (index === TextFileIndex.WHOLE_LINE && !isInteger(dtype) && dtype !== "string")
    throw new ValueError(
      `\`${what}_dtype\` should be either integer or string for \`${what}_index\` ${index}, received: <dtype: '${dtype}'>`,
    );
}

/** Fills a table from the lines of a text file: a column of them, whole lines or their numbers as keys and as values. The file travels with SavedModels.
 *  TF: tf.lookup.TextFileInitializer. @throws ValueError for columns that cannot be. */
export class TextFileInitializer implements TableInitializer {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  private readonly filename: Tensor;
  private readonly columns: { readonly keyIndex: number; readonly valueIndex: number };
  private readonly options: TextFileOptions;

  constructor(
    filename: TensorLike,
    keyDtype: DType,
    keyIndex: number,
    valueDtype: DType,
    valueIndex: number,
    options: TextFileOptions = {},
  ) {
    if (filename === "" || filename === null || filename === undefined)
      throw new ValueError("`filename` argument required for tf.lookup.TextFileInitializer");
    checkColumn("key", keyIndex, keyDtype);
    checkColumn("value", valueIndex, valueDtype);
    const { vocabSize } = options;
    if (typeof vocabSize === "number" && vocabSize <= 0) throw new ValueError(`\`vocab_size\` should be > 0, received: ${vocabSize}`);
    this.filename = convertToTensor(filename, { dtype: "string", name: "asset_path" });
    this.keyDtype = keyDtype;
    this.valueDtype = valueDtype;
    this.columns = { keyIndex, valueIndex };
    this.options = options;
  }

  initialize({ resourceHandle }: { readonly resourceHandle: Tensor }): Operation {
    const { vocabSize, delimiter = "\t", valueIndexOffset: offset = 0, name } = this.options;
    const { graph } = resourceHandle;
    const { filename } = this;
    const operation = inNameScope({ name }, "text_file_init", [resourceHandle], () =>
      InitializeTableFromTextFileV2({
        tableHandle: resourceHandle,
        filename,
        ...this.columns,
        vocabSize: vocabSize ?? -1,
        delimiter,
        offset,
      }),
    );
    graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, operation);
    if (filename.op.type === "Const") graph.addToCollection(GraphKeys.ASSET_FILEPATHS, filename);
    return operation;
  }
}

const leaf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** @throws TypeError for keys of another type than the table's. */
function checkKeys(keys: TensorLike | Whole, keyDtype: DType): { tensor: Tensor; whole: Whole | null } {
  const whole = isWhole(keys) ? keys : null;
  const given = (whole?.values ?? keys) as TensorLike;
  const tensor = convertToTensor(given, { dtype: Array.isArray(keys) ? keyDtype : undefined, name: "keys" });
  if (tensor.dtype !== keyDtype)
    throw new TypeError(`Dtype of argument \`keys\` must be <dtype: '${keyDtype}'>, received: <dtype: '${tensor.dtype}'>`);
  return { tensor, whole };
}

/** Keys that are more than their values: sparse ones, rows of any length. */
type Whole = SparseTensor | RaggedTensor;
const isWhole = (keys: unknown): keys is Whole => typeof keys === "object" && keys !== null && "withValues" in keys;

interface AnonymousOption {
  /** The table belongs to the node that makes it, and is a new one in each run. */
  readonly experimentalIsAnonymous?: boolean;
}

/** A table that is filled once, by an initializer (run `tablesInitializer()`), and then only asked. TF: tf.lookup.StaticHashTable. */
export class StaticHashTable {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  readonly defaultValue: Tensor;
  readonly resourceHandle: Tensor;
  /** The operation that fills the table. */
  readonly initializer: Operation;
  readonly name: string;

  constructor(
    initializer: TableInitializer,
    defaultValue: TensorLike,
    { name, experimentalIsAnonymous = false, ...others }: Named & AnonymousOption = {},
  ) {
    refuseOthers(others);
    this.keyDtype = initializer.keyDtype;
    this.valueDtype = initializer.valueDtype;
    this.defaultValue = convertToTensor(defaultValue, { dtype: this.valueDtype });
    this.defaultValue.shape.mergeWith(new TensorShape([]));
    const types = { keyDtype: this.keyDtype, valueDtype: this.valueDtype };
    this.resourceHandle = experimentalIsAnonymous
      ? AnonymousHashTable(types, { name: name ?? "hash_table" })
      : HashTableV2({ ...types, sharedName: `hash_table_${globalThis.crypto.randomUUID()}` }, { name: name ?? "hash_table" });
    this.name = leaf(this.resourceHandle.op.name);
    this.initializer = initializer.initialize(this);
  }

  /** The values of `keys`, the default where there is none; sparse or ragged keys give values of the same places. */
  lookup<K extends Whole>(keys: K, options?: NameOption): K;
  lookup(keys: TensorLike, options?: NameOption): Tensor;
  lookup(keys: TensorLike | Whole, options?: NameOption): Tensor | Whole {
    const { tensor, whole } = checkKeys(keys, this.keyDtype);
    const { resourceHandle, defaultValue } = this;
    const values = inNameScope(options, `${this.name}_Lookup`, [resourceHandle, tensor, defaultValue], () =>
      LookupTableFindV2({ tableHandle: resourceHandle, keys: tensor, defaultValue }),
    );
    values.setShape(tensor.shape);
    return whole?.withValues(values) ?? values;
  }

  /** The number of entries, int64. */
  size(options?: NameOption): Tensor {
    return inNameScope(options, `${this.name}_Size`, [this.resourceHandle], () => LookupTableSizeV2({ tableHandle: this.resourceHandle }));
  }

  /** All keys and values, in the order in which they were given. */
  export(options?: NameOption): { keys: Tensor; values: Tensor } {
    return inNameScope(options, `${this.name}_Export`, [this.resourceHandle], () => {
      const { keys, values } = LookupTableExportV2({
        tableHandle: this.resourceHandle,
        Tkeys: this.keyDtype,
        Tvalues: this.valueDtype,
      });
      values.setShape(keys.shape);
      return { keys, values };
    });
  }
}

interface VocabularyOptions extends Named, AnonymousOption {
  readonly lookupKeyDtype?: DType | null;
}

/** Ids of words: those of the initializer's table, and hash buckets behind them for all other words. TF: tf.lookup.StaticVocabularyTable. */
export class StaticVocabularyTable {
  readonly keyDtype: DType;
  readonly valueDtype = "int64" as const;
  readonly name: string;
  private readonly table: StaticHashTable | null;
  private readonly buckets: number;

  constructor(
    initializer: TableInitializer | null,
    numOovBuckets: number,
    { lookupKeyDtype, name, experimentalIsAnonymous = false, ...others }: VocabularyOptions = {},
  ) {
    refuseOthers(others);
    if (!(numOovBuckets > 0)) throw new ValueError("`num_oov_buckets` must be > 0; use StaticHashTable.");
    const keyDtype = lookupKeyDtype ?? initializer?.keyDtype ?? "string";
    if (initializer) {
      const typed = (dtype: DType): string => `<dtype: '${dtype}'>`;
      if (initializer.keyDtype !== "int64" && initializer.keyDtype !== "string")
        throw new TypeError(`Invalid \`key_dtype\`, expected one of (tf.int64, tf.string), but got ${typed(initializer.keyDtype)}.`);
      if (isInteger(initializer.keyDtype) !== isInteger(keyDtype))
        throw new TypeError(
          `Invalid \`key_dtype\`, expected ${isInteger(keyDtype) ? "integer" : "non-integer"} but got ${typed(initializer.keyDtype)}.`,
        );
      if (initializer.valueDtype !== "int64")
        throw new TypeError(`Invalid \`value_dtype\`, expected ${typed("int64")} but got ${typed(initializer.valueDtype)}.`);
    }
    this.table = initializer ? new StaticHashTable(initializer, -1n, { experimentalIsAnonymous }) : null;
    this.keyDtype = keyDtype;
    this.buckets = numOovBuckets;
    this.name = name === undefined || name === null ? (this.table?.name ?? "hash_bucket") : leaf(String(name).replace(/\/+$/, ""));
  }

  /** The operation that fills the table. */
  get initializer(): Operation {
    return this.table?.initializer ?? noOp();
  }

  get resourceHandle(): Tensor | null {
    return this.table?.resourceHandle ?? null;
  }

  /** The ids of `keys`, int64 of the same shape. */
  lookup<K extends Whole>(keys: K, options?: NameOption): K;
  lookup(keys: TensorLike, options?: NameOption): Tensor;
  lookup(keys: TensorLike | Whole, options?: NameOption): Tensor | Whole {
    const { tensor, whole } = checkKeys(keys, this.keyDtype);
    const { table } = this;
    const values = table?.keyDtype === "int64" ? cast(tensor, "int64") : tensor;
    const ids = inNameScope(options, `${this.name}_Lookup`, [values], () => {
      const words = values.dtype === "string" ? values : asString(values);
      const buckets = stringToHashBucketFast(words, this.buckets, { name: "hash_bucket" });
      if (!table) return buckets;
      const known = table.lookup(values);
      const behind = AddV2({ x: buckets, y: table.size() }, { name: "Add" });
      return whereV2(NotEqual({ x: known, y: table.defaultValue }), known, behind);
    });
    return whole?.withValues(ids) ?? ids;
  }

  /** The number of ids, buckets included. */
  size(options?: NameOption): Tensor {
    return inNameScope(options, `${this.name}_Size`, [], () =>
      AddV2({ x: this.table ? this.table.size() : convertToTensor(0n, { dtype: "int64" }), y: BigInt(this.buckets) }, { name: "add" }),
    );
  }
}

// ---- tables that programs change ----

/** How savers save and restore a table: as two tensors, `name-keys` and `name-values`. */
export function savedTable(name: string, handle: Tensor, { keys, values }: { readonly keys: Tensor; readonly values: Tensor }) {
  const { graph } = handle;
  return {
    name,
    op: handle.op,
    specs: [
      { tensor: keys, sliceSpec: "", name: `${name}-keys`, dtype: keys.dtype },
      { tensor: values, sliceSpec: "", name: `${name}-values`, dtype: values.dtype },
    ],
    restore: ([restoredKeys, restoredValues]: readonly Tensor[]): Operation =>
      graph.nameScope(`${name}_table_restore`, () =>
        graph.colocateWith(handle.op, undefined, () =>
          LookupTableImportV2({ tableHandle: handle, keys: restoredKeys, values: restoredValues }),
        ),
      ),
  };
}

interface TableOptions extends Named, AnonymousOption {
  /** Saved and restored by savers of all variables. Default true. */
  readonly checkpoint?: boolean;
}

abstract class ChangeableTable {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  readonly resourceHandle: Tensor;
  readonly name: string;
  protected readonly defaultValue: Tensor;

  constructor(keyDtype: DType, valueDtype: DType, defaultValue: Tensor, handle: Tensor, savedAs: string | null) {
    this.keyDtype = keyDtype;
    this.valueDtype = valueDtype;
    this.defaultValue = defaultValue;
    this.resourceHandle = handle;
    this.name = leaf(handle.op.name);
    if (savedAs !== null) handle.graph.addToCollection(GraphKeys.SAVEABLE_OBJECTS, savedTable(savedAs, handle, this.export()));
  }

  private scoped<R>(options: NameOption | undefined, what: string, body: () => R): R {
    return inNameScope(options, `${this.name}_${what}`, [this.resourceHandle], body);
  }

  private keys(keys: TensorLike): Tensor {
    return convertToTensor(keys, { dtype: this.keyDtype, name: "keys" });
  }

  /** The number of entries, int64. */
  size(options?: NameOption): Tensor {
    return this.scoped(options, "Size", () => LookupTableSizeV2({ tableHandle: this.resourceHandle }));
  }

  /** The values of `keys`, the default where there is none: shape `[...keys, ...value]`. */
  lookup(keys: TensorLike, options?: NameOption): Tensor {
    return this.scoped(options, "lookup_table_find", () => {
      const tensor = this.keys(keys);
      const values = LookupTableFindV2({ tableHandle: this.resourceHandle, keys: tensor, defaultValue: this.defaultValue });
      const value = this.defaultValue.shape.dims;
      if (tensor.shape.dims !== null && value !== null) values.setShape(new TensorShape([...tensor.shape.dims, ...value]));
      return values;
    });
  }

  /** Sets the values of `keys`. */
  insert(keys: TensorLike, values: TensorLike, options?: NameOption): Operation {
    return this.scoped(options, "lookup_table_insert", () => {
      const given = this.keys(keys);
      const v = convertToTensor(values, { dtype: this.valueDtype, name: "values" });
      return LookupTableInsertV2({ tableHandle: this.resourceHandle, keys: given, values: v });
    });
  }

  /** Forgets `keys`; those that are not there are passed over. */
  remove(keys: TensorLike, options?: NameOption): Operation {
    return this.scoped(options, "lookup_table_remove", () =>
      LookupTableRemoveV2({ tableHandle: this.resourceHandle, keys: this.keys(keys) }),
    );
  }

  /** All keys and values. */
  export(options?: NameOption): { keys: Tensor; values: Tensor } {
    return this.scoped(options, "lookup_table_export_values", () =>
      LookupTableExportV2({ tableHandle: this.resourceHandle, Tkeys: this.keyDtype, Tvalues: this.valueDtype }),
    );
  }
}

/** A table that grows while the program runs. TF: tf.lookup.experimental.MutableHashTable. */
export class MutableHashTable extends ChangeableTable {
  constructor(
    keyDtype: DType,
    valueDtype: DType,
    defaultValue: TensorLike,
    { name = "MutableHashTable", checkpoint = true, experimentalIsAnonymous = false, ...others }: TableOptions = {},
  ) {
    refuseOthers(others);
    for (const type of [keyDtype, valueDtype]) if (!isDType(type)) throw noDtype(type);
    const fallback = convertToTensor(defaultValue, { dtype: valueDtype });
    const { shape } = fallback;
    const attrs = { keyDtype, valueDtype, useNodeNameSharing: true };
    const types = { keyDtype, valueDtype };
    const isScalar = shape.rank === 0;
    const made = (): Tensor =>
      isScalar ? MutableHashTableV2(attrs, { name }) : MutableHashTableOfTensorsV2({ ...attrs, valueShape: shape }, { name });
    const madeAnew = (): Tensor =>
      isScalar ? AnonymousMutableHashTable(types, { name }) : AnonymousMutableHashTableOfTensors({ ...types, valueShape: shape }, { name });
    const handle = experimentalIsAnonymous ? madeAnew() : made();
    super(keyDtype, valueDtype, fallback, handle, checkpoint ? String(name ?? "MutableHashTable") : null);
  }
}

interface DenseOptions extends TableOptions {
  /** A power of two; 2¹⁷ unless given. */
  readonly initialNumBuckets?: number | null;
}

/** The same in one array of buckets; `emptyKey` and `deletedKey` cannot be keys. TF: tf.lookup.experimental.DenseHashTable. */
export class DenseHashTable extends ChangeableTable {
  constructor(
    keyDtype: DType,
    valueDtype: DType,
    defaultValue: TensorLike,
    emptyKey: TensorLike,
    deletedKey: TensorLike,
    { initialNumBuckets, name = "MutableDenseHashTable", checkpoint = true, experimentalIsAnonymous = false, ...others }: DenseOptions = {},
  ) {
    refuseOthers(others);
    const fallback = convertToTensor(defaultValue, { dtype: valueDtype, name: "default_value" });
    const record = {
      emptyKey: convertToTensor(emptyKey, { dtype: keyDtype, name: "empty_key" }),
      deletedKey: convertToTensor(deletedKey, { dtype: keyDtype, name: "deleted_key" }),
      valueDtype,
      valueShape: fallback.shape,
      initialNumBuckets: initialNumBuckets ?? 131072,
    };
    const handle = experimentalIsAnonymous
      ? (AnonymousMutableDenseHashTable(record, { name }) as Tensor)
      : MutableDenseHashTableV2({ ...record, useNodeNameSharing: true }, { name });
    super(keyDtype, valueDtype, fallback, handle, checkpoint ? String(name ?? "MutableDenseHashTable") : null);
  }

  /** As `insert`. TF: DenseHashTable.insert_or_assign. */
  insertOrAssign(keys: TensorLike, values: TensorLike, options?: NameOption): Operation {
    return this.insert(keys, values, options);
  }

  /** As `remove`. TF: DenseHashTable.erase. */
  erase(keys: TensorLike, options?: NameOption): Operation {
    return this.remove(keys, options);
  }
}
