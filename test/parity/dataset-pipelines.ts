// Pipelines of tf.data told as JSON, as generate/dataset_pipelines.py tells and runs them, made with tensorloom and run: a node is ["batch", input, 2, false],
// a function a nesting of expressions on the leaves of its arguments.

import * as tf from "../../src/index.ts";

// any: told in JSON, whose kinds the generator knows; and what follows from it
export type Told = any;
type Tree = any;

const { Dataset: D, experimental: exp } = tf.data;

export interface Case {
  readonly id: string;
  readonly ds: Told;
  readonly ds2?: Told;
  readonly it: "oneshot" | "init" | "structure" | "feedable" | "optional";
  readonly seed: number | null;
  readonly plan: readonly (readonly [string, number])[];
}

export interface Outcome {
  build?: string;
  types?: string[];
  shapes?: string[];
  static?: string[];
  card?: number | string;
  results?: unknown[];
}

// ---- values ----

function array({ d, s, v }: Told): tf.NDArray {
  if (d === "string")
    return tf.NDArray.from(
      v.map((x: string) => Uint8Array.from(x, c => c.charCodeAt(0))),
      d,
      s,
    );
  return tf.NDArray.from(
    v.map((x: number | string) => (d === "int64" || d === "uint64" ? BigInt(x) : x)),
    d,
    s,
  );
}
const int64s = (values: readonly number[], shape: readonly number[] = [values.length]): tf.Tensor =>
  tf.constant(tf.NDArray.from(values.map(BigInt), "int64", shape));

function value(v: Told): Tree {
  if ("sp" in v) {
    const [places, values, shape] = v.sp;
    return new tf.SparseTensor(int64s(places.flat(), [places.length, shape.length]), tf.constant(array(values)), int64s(shape));
  }
  if ("rg" in v) return tf.ragged.constant(v.rg, { dtype: v.d, raggedRank: v.rr });
  return mapped(v, value) ?? array(v);
}

/** The same nesting of what is told in it; undefined for what is no nesting. */
function mapped(told: Told, each: (inner: Told) => Tree): Tree {
  if (Array.isArray(told) || told === null || typeof told !== "object") return undefined;
  if ("t" in told) return told.t.map(each);
  if ("m" in told) return Object.fromEntries(Object.entries(told.m).map(([key, inner]) => [key, each(inner)]));
  return undefined;
}
const tree = (told: Told, leaf: (inner: Told) => Tree): Tree =>
  mapped(told, inner => tree(inner, leaf)) ?? leaf(told !== null && typeof told === "object" && "leaf" in told ? told.leaf : told);

const isNesting = (part: Tree): boolean => Array.isArray(part) || (part !== null && part?.constructor === Object);
function leaves(part: Tree): Tree[] {
  if (!isNesting(part)) return [part];
  const parts = Array.isArray(part)
    ? part
    : Object.keys(part)
        .sort()
        .map(key => part[key]);
  return parts.flatMap(leaves);
}

// ---- functions ----

const someOver = (x: tf.NDArray, limit: number): boolean => Array.from({ length: x.size }, (_, i) => Number(x.get(i))).some(y => y > limit);
const refusing =
  (limit: number, make: () => Error) =>
  (x: tf.NDArray): tf.NDArray => {
    if (someOver(x, limit)) throw make();
    return x;
  };
const hostFunctions: Record<string, (x: tf.NDArray) => tf.NDArray> = {
  double: x => {
    const y = tf.NDArray.zeros(x.dtype, x.shape);
    for (let i = 0; i < x.size; i++) {
      const a = x.get(i);
      y.set(i, typeof a === "bigint" ? a + a : Number(a) * 2);
    }
    return y;
  },
  raises: refusing(2, () => new tf.ValueError("too large")),
  stop: refusing(2, () => new tf.errors.OutOfRangeError("StopIteration: ")),
  typeerr: refusing(1, () => new TypeError("bad type")),
};

const castTo = (x: Tree, dtype: tf.DType): tf.Tensor => tf.cast(x as tf.Tensor, dtype);
const flat = (x: Tree): tf.Tensor => tf.reshape(x, [-1]);
const plainFunctions: Record<string, (...given: Tree[]) => Tree> = {
  add: tf.add,
  sub: tf.subtract,
  mul: tf.multiply,
  neg: tf.negative,
  abs: tf.abs,
  sum: tf.reduceSum,
  max: tf.reduceMax,
  any: tf.reduceAny,
  all: tf.reduceAll,
  shape: tf.shape,
  size: tf.size,
  rank: tf.rank,
  greater: tf.greater,
  less: tf.less,
  equal: tf.equal,
  asstring: tf.asString,
  strlen: tf.strings.length,
  expand: x => tf.expandDims(x, 0),
  square: tf.square,
  identity: tf.identity,
  reverse: x => tf.reverse(x, [0]),
  unique: x => tf.unique(x).y,
  cumsum: tf.cumsum,
  transpose: tf.transpose,
  lower: tf.strings.lower,
  hash: x => tf.stringToHashBucketFast(x, 7),
  logicalnot: tf.logicalNot,
  div: tf.floordiv,
  mod: tf.floormod,
  gather: tf.gather,
  where: x => tf.where(x),
  sparse: x => tf.sparse.fromDense(x),
  ragged: x => tf.RaggedTensor.fromTensor(x),
  totensor: x => x.toTensor(),
  rowlengths: x => x.rowLengths(),
  range: x => tf.range(castTo(x, "int32")),
  check: x => tf.checkNumerics(tf.log(castTo(x, "float32")), "bad log"),
};

function expression([op, ...a]: Told, xs: readonly Tree[]): Tree {
  const x = (i = 0): Tree => expression(a[i], xs);
  const all = (): Tree[] => a[0].map((each: Told) => expression(each, xs));
  switch (op) {
    case "x":
      return xs[a[0]];
    case "c":
      return tf.constant(array(a[0]));
    case "cast":
      return castTo(x(), a[1]);
    case "py": {
      const given = x(1);
      const result = tf.pyFunc(hostFunctions[a[0]], [given], a[2]) as tf.Tensor;
      result.setShape(given.shape);
      return result;
    }
    case "random":
      return tf.randomUniform(a[0], { maxval: 10, seed: a[1], dtype: a[2] });
    case "normal":
      return tf.randomNormal(a[0], { seed: a[1] });
    case "stateless": {
      const seed = tf.stack([castTo(flat(x(1)).at(0), "int64"), tf.constant(7n, "int64")]);
      return tf.random.statelessUniform(a[0], seed, { dtype: a[2], maxval: 20 });
    }
    case "shuffle":
      return tf.randomShuffle(x(), { seed: a[1] });
    case "Assert": {
      const given = x();
      const holds = tf.reduceAll(tf.less(given, castTo(a[1], given.dtype)));
      return tf.controlDependencies([tf.Assert(holds, ["not less", given])], () => tf.identity(given));
    }
    case "cond":
      return tf.cond(
        x(),
        () => x(1),
        () => x(2),
      );
    case "while": {
      const n = castTo(x(), "int32");
      const zero = tf.constant(0, "int32");
      const more = (i: tf.Tensor): tf.Tensor => tf.less(i, n);
      return (tf.whileLoop(more, (i: tf.Tensor, s: tf.Tensor) => [i.add(1), s.add(i.mul(i))], [zero, zero]) as tf.Tensor[])[1];
    }
    case "reshape":
      return tf.reshape(x(), a[1]);
    case "slice":
      return x().at([a[1], a[2]]);
    case "at":
      return x().at(a[1]);
    case "setshape":
      return tf.placeholderWithDefault(tf.identity(x()), a[1]);
    case "tile":
      return tf.tile(x(), a[1]);
    case "substr":
      return tf.strings.substr(x(), a[1], a[2]);
    case "join":
      return tf.strings.join(all(), { separator: a[1] });
    case "split":
      return (tf.stringSplit(flat(x()), { sep: a[1] }) as tf.SparseTensor).values;
    case "tonum":
      return tf.stringToNumber(x(), { outType: a[1] });
    case "csv":
      return tf.decodeCsv(x(), [tf.constant([0], "int32"), tf.constant(["none"]), tf.constant([1.5])])[a[1]];
    case "raw":
      return tf.decodeRaw(x(), a[1]);
    case "todense": {
      const { dtype } = xs[a[0][1]];
      return tf.sparse.toDense(x(), { defaultValue: dtype === "string" ? "" : dtype === "bool" ? false : 0 });
    }
    case "stack":
      return tf.stack(all());
    case "concat":
      return tf.concat(all(), 0);
    case "onehot":
      return tf.oneHot(x(), a[1]);
    case "fill":
      return tf.fill(flat(castTo(x(), "int32")).at([null, 1]), x(1));
    default:
      return plainFunctions[op](...a.map((each: Told) => expression(each, xs)));
  }
}

function built(told: Told, xs: readonly Tree[]): Tree {
  if (!Array.isArray(told) && "ds" in told) return dataset(told.ds, xs);
  return mapped(told, inner => built(inner, xs)) ?? expression(told, xs);
}
const functionOf =
  (told: Told) =>
  (...args: Tree[]): Tree =>
    built(told, leaves(args));

// ---- datasets ----

const generators: Record<string, (n: number) => (...given: tf.NDArray[]) => Generator<Tree>> = {
  count: n =>
    function* () {
      for (let i = 0; i < n; i++) yield i;
    },
  pairs: n =>
    function* () {
      for (let i = 0; i < n; i++) yield [i, tf.NDArray.full("float32", [i], i)];
    },
  dicts: n =>
    function* () {
      for (let i = 0; i < n; i++) yield { a: i, b: `w${i}` };
    },
  badtype: () =>
    function* () {
      yield* [1, "a", 3];
    },
  badshape: () =>
    function* () {
      yield* [
        [1, 2],
        [1, 2, 3],
        [4, 5],
      ].map(row => tf.NDArray.from(row, "int32"));
    },
  raises: () =>
    function* () {
      yield* [1, 2];
      throw new tf.ValueError("generator broke");
    },
  badstruct: () =>
    function* () {
      yield* [[1, 2], 3, [4, 5]];
    },
  ragged_rows: () =>
    function* () {
      yield* [
        [[1, 2], [3]],
        [[1], [2]],
      ];
    },
  args: () =>
    function* (a, b) {
      for (let i = 0; i < Number(a.get(0)); i++) yield i * Number(b.get(0));
    },
};

/** Where the files of the recording lie. */
let folder = "";
export const setFolder = (path: string): void => {
  folder = path;
};

const optionsOf = (told: Told): Told =>
  Object.fromEntries(Object.entries(told).map(([key, v]) => [key.replace(/_([a-z])/g, (_, c) => c.toUpperCase()), v]));

function dataset([op, ...a]: Told, xs: readonly Tree[] = []): Tree {
  const input = (i = 0): Tree => dataset(a[i], xs);
  const inputs = (i = 0): Tree[] => a[i].map((each: Told) => dataset(each, xs));
  const paths = (): string[] => a[0].map((name: string) => folder + name);
  const f = (i = 1): ((...args: Tree[]) => Tree) => functionOf(a[i]);
  switch (op) {
    case "slices":
      return D.fromTensorSlices(value(a[0]));
    case "tensors":
      return D.fromTensors(value(a[0]));
    case "sliceexpr":
      return D.fromTensorSlices(built(a[0], xs));
    case "tensorexpr":
      return D.fromTensors(built(a[0], xs));
    case "rangeexpr":
      return D.range(castTo(expression(a[0], xs), "int64"));
    case "windowarg":
      return xs[a[0]];
    case "range":
      return D.range(...a[0].map(BigInt));
    case "rangetyped":
      return D.range(...a[0].map(BigInt), { outputType: a[1] });
    case "generator": {
      const shapes = a[3] === "none" ? null : tree(a[3], s => (s === null ? tf.TensorShape.unknown() : new tf.TensorShape(s)));
      const args = (a[4] ?? []).map((n: number) => tf.constant(n, Number.isInteger(n) ? "int32" : "float32"));
      return D.fromGenerator(
        generators[a[0]](a[1]),
        tree(a[2], type => type),
        shapes,
        { args },
      );
    }
    case "sparseslices":
      return D.fromSparseTensorSlices(value(a[0]));
    case "tfrecord":
      return new tf.data.TFRecordDataset(paths(), { compressionType: a[1] || null, numParallelReads: a[2] });
    case "lines":
      return new tf.data.TextLineDataset(paths(), { compressionType: a[1] || null });
    case "fixed":
      return new tf.data.FixedLengthRecordDataset(paths(), a[1], { headerBytes: a[2], footerBytes: a[3], compressionType: a[4] || null });
    case "csv": {
      const columns = a[1].map((column: Told) => column.need ?? tf.constant(array(column)));
      const options = { header: a[2], fieldDelim: a[3], useQuoteDelim: a[4], naValue: a[5], selectCols: a[6] && int64s(a[6]) };
      return new exp.CsvDataset(paths(), columns, options);
    }
    case "map":
      return input().map(f(), optionsOf(a[2]));
    case "filter":
      return input().filter(f());
    case "flatmap":
      return input().flatMap(f());
    case "interleave":
      return input().interleave(f(), optionsOf(a[2]));
    case "pinterleave": {
      const { cycleLength, ...options } = optionsOf(a[2]);
      return input().apply(exp.parallelInterleave(f(), cycleLength, options));
    }
    case "concat":
      return input().concatenate(input(1));
    case "zip":
      return D.zip(tree(a[0], each => dataset(each, xs)));
    case "batch":
      return input().batch(a[1], { dropRemainder: a[2], ...optionsOf(a[3] ?? {}) });
    case "padded": {
      const { paddedShapes, paddingValues, ...options } = optionsOf(a[2]);
      const paddings = paddingValues && { paddingValues: tree(paddingValues, v => v && tf.constant(array(v))) };
      const shapes = paddedShapes === undefined ? null : tree(paddedShapes, s => s);
      return input().paddedBatch(a[1], shapes, { ...options, ...paddings });
    }
    case "unbatch":
      return input().unbatch();
    case "window":
      return input().window(a[1], optionsOf(a[2]));
    case "groupby": {
      const size = typeof a[3] === "number" ? { windowSize: a[3] } : { windowSizeFunc: (key: tf.Tensor) => expression(a[3], [key]) };
      return input().apply(exp.groupByWindow(f(), (key, window) => built(a[2], [key, window]), size));
    }
    case "bucket":
      return input().apply(exp.bucketBySequenceLength((...args: Tree[]) => expression(a[1], leaves(args)), a[2], a[3], optionsOf(a[4])));
    case "reducer": {
      const init = (key: tf.Tensor): Tree => built(a[2], [key]);
      return input().apply(exp.groupByReducer(f(), new exp.Reducer(init, (state, element) => built(a[3], leaves([state, element])), f(4))));
    }
    case "scan":
      return input().apply(
        exp.scan(value(a[1]), (state, element) => {
          const parts = leaves([state, element]);
          return [built(a[2], parts), built(a[3], parts)];
        }),
      );
    case "takewhile":
      return input().apply(exp.takeWhile(f()));
    case "reduce":
      return D.fromTensors(input().reduce(value(a[1]), (state: Tree, element: Tree) => built(a[2], leaves([state, element]))));
    case "repeat":
      return input().repeat(a[1]);
    case "shuffle":
      return input().shuffle(a[1], { seed: a[2], reshuffleEachIteration: a[3] });
    case "sar":
      return input().apply(exp.shuffleAndRepeat(a[1], { count: a[2], seed: a[3] }));
    case "cache":
      return input().cache();
    case "prefetch":
      return input().prefetch(a[1]);
    case "take":
      return input().take(a[1]);
    case "skip":
      return input().skip(a[1]);
    case "shard":
      return input().shard(a[1], a[2]);
    case "enumerate":
      return input().enumerate(BigInt(a[1]));
    case "unique":
      return input().apply(exp.unique());
    case "ignore":
      return input().apply(exp.ignoreErrors());
    case "sample":
      return exp.sampleFromDatasets(inputs(), { weights: a[1] && array(a[1]), seed: a[2] });
    case "choose":
      return exp.chooseFromDatasets(inputs(), input(1), { stopOnEmptyDataset: a[2] });
    case "resample":
      return input().apply(exp.rejectionResample(f(), a[2], { initialDist: a[3], seed: a[4] }));
    case "mapbatch":
      return input().apply(exp.mapAndBatch(f(), a[2], { dropRemainder: a[3] }));
    case "raggedbatch":
      return input().apply(exp.denseToRaggedBatch(a[1], { dropRemainder: a[2] }));
    case "sparsebatch":
      return input().apply(exp.denseToSparseBatch(a[1], a[2]));
    case "assertcard":
      return input().apply(exp.assertCardinality(a[1]));
    case "rebatch":
      return input().rebatch(a[1], { dropRemainder: a[2] });
    case "random":
      return D.random({ seed: a[0] });
    case "counter":
      return exp.Counter({ start: BigInt(a[0]), step: BigInt(a[1]) });
    case "fromlist":
      return exp.fromList(a[0].map(value));
    default:
      throw new Error(`There is no '${op}' here.`);
  }
}

// ---- running ----

const latin = (text: Tree): string => String.fromCharCode(...(typeof text === "string" ? new TextEncoder().encode(text) : text));

const numbers = (v: tf.NDArray): unknown =>
  JSON.parse(JSON.stringify(v.toArray(), (_, part) => (typeof part === "bigint" ? Number(part) : part)));

/** A value as the recording has it: numbers as text. */
function plain(v: Tree): Told {
  if (v instanceof tf.NDArray) {
    const values = Array.from({ length: v.size }, (_, i) => v.get(i));
    const shown = v.dtype === "string" ? values.map(latin) : v.dtype === "bool" ? values.map(Boolean) : values.map(String);
    return { s: [...v.shape], d: v.dtype, v: shown };
  }
  if (v?.indices) return { sp: [numbers(v.indices), plain(v.values), numbers(v.denseShape)] };
  if (v?.flatValues) return { rg: [[...v.nestedRowSplits].map(numbers), plain(v.flatValues)] };
  return plain(tf.NDArray.from(v));
}

/** Class and first line of an error; names of iterators and of files' folders left out. */
export const tidy = (error: Error): string =>
  `${error.name}: ${error.message.split("\n")[0]}`.replaceAll(folder, "FILES/").replace(/^(\w+Error: )\1/, "$1");

const textsOf = (nested: Tree): string[] => leaves(nested).map(String);

export async function run({ ds, ds2, it: kind, seed, plan }: Case): Promise<Outcome> {
  using _ = new tf.Graph().asDefault();
  if (seed !== null) tf.setRandomSeed(seed);
  const handle = tf.placeholder("string", []);
  let [parts, begins, iterators]: [Tree[], tf.Operation[], tf.data.Iterator[]] = [[], [], []];
  let has: tf.Tensor | undefined;
  let main: Tree;
  const outcome: Outcome = {};
  try {
    main = dataset(ds);
    const all = [main, ...(ds2 ? [dataset(ds2)] : [])];
    const { outputTypes, outputShapes, outputClasses } = main;
    let iterator: tf.data.Iterator;
    if (kind === "oneshot") iterator = tf.data.makeOneShotIterator(main);
    else if (kind === "structure") {
      iterator = tf.data.Iterator.fromStructure(outputTypes, outputShapes, { outputClasses });
      begins = all.map(each => iterator.makeInitializer(each));
    } else {
      iterators = all.map(each => tf.data.makeInitializableIterator(each));
      begins = iterators.map(({ initializer }) => initializer);
      [iterator] = iterators;
      if (kind === "feedable") iterator = tf.data.Iterator.fromStringHandle(handle, outputTypes, outputShapes, { outputClasses });
    }
    if (kind === "optional") has = exp.getNextAsOptional(iterator).hasValue();
    else parts = leaves(iterator.getNext());
  } catch (error) {
    return { build: tidy(error as Error) };
  }
  outcome.types = textsOf(main.outputTypes);
  outcome.shapes = textsOf(main.outputShapes);
  outcome.static = parts.map(part => String(part.shape));
  await using session = new tf.Session();
  outcome.card = await session.run(exp.cardinality(main)).then(Number, tidy);
  let feeds: [tf.Tensor, unknown][] = [];
  const step = async ([what, k]: readonly [string, number]): Promise<unknown> => {
    if (what === "next")
      return has ? Boolean(Number(await session.run(has))) : ((await session.run(parts, feeds as tf.Feeds)) as unknown[]).map(plain);
    if (what === "init") await session.run(begins[k]);
    else feeds = [[handle, await session.run(iterators[k].stringHandle())]];
    return "ok";
  };
  outcome.results = [];
  for (const action of plan) outcome.results.push(await step(action).catch((error: Error) => ({ err: tidy(error) })));
  return outcome;
}
