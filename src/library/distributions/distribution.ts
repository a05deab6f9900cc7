// What all distributions share: names, batch and event shapes, and the public methods, each of which opens its scope and calls the hook of the same
// name with an underscore (`_logProb`), which a class of the user's may define as well. Where one hook is missing another stands in (log for exp).

import type { DType } from "../../base/dtype.ts";
import { NotImplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { graphFor } from "../../graph/default-graph.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { numbersOf, rank, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { where, whereV2 } from "../../ops/array/selection.ts";
import { concat, getItem, slice } from "../../ops/array/slicing.ts";
import { equal } from "../../ops/math/comparison.ts";
import { exp, log, log1p, sqrt, square } from "../../ops/math/functions.ts";
import { reduceProd } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import { neg, sub } from "../../ops/operators.ts";
import { crossEntropy, klDivergence } from "./divergence.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** Whether the samples of a distribution have a gradient by its parameters. TF: tf.distributions.ReparameterizationType. */
export class ReparameterizationType {
  private readonly kind: string;
  constructor(repType: string) {
    this.kind = repType;
  }
  toString(): string {
    return `<Reparameterization Type: ${this.kind}>`;
  }
}

/** Samples are a differentiable function of the parameters. */
export const FULLY_REPARAMETERIZED = new ReparameterizationType("FULLY_REPARAMETERIZED");
export const NOT_REPARAMETERIZED = new ReparameterizationType("NOT_REPARAMETERIZED");

/** What the constructors of all distributions take besides their parameters. */
export interface DistributionOptions {
  /** Checks parameters and values while running, at some cost. */
  readonly validateArgs?: boolean | null;
  /** Statistics that are undefined are NaN; otherwise they stop the run. */
  readonly allowNanStats?: boolean | null;
  readonly name?: string | null;
}

export interface SampleOptions {
  readonly seed?: number | null;
  readonly name?: string | null;
}

type Parameters = Readonly<Record<string, unknown>>;

interface OwnOptions {
  /** What the constructor was given, by name: copies are made of it. */
  readonly parameters?: Parameters | null;
  readonly graphParents?: readonly Tensor[] | null;
  readonly name?: string | null;
}

/** The base of all distributions; a class of one's own defines hooks such as `_logProb` and `_sampleN`. TF: tf.distributions.Distribution. */
export class Distribution {
  readonly dtype: DType;
  readonly reparameterizationType: ReparameterizationType;
  readonly allowNanStats: boolean;
  readonly validateArgs: boolean;
  readonly name: string;
  readonly parameters: Parameters;
  private readonly graphParents: Tensor[];

  constructor(
    dtype: DType,
    reparameterizationType: ReparameterizationType,
    validateArgs: boolean,
    allowNanStats: boolean,
    { parameters, graphParents, name, ...others }: OwnOptions = {},
  ) {
    refuseOthers(others);
    (graphParents ?? []).forEach((parent, i) => {
      if (!(parent instanceof Tensor)) throw new ValueError(`Graph parent item ${i} is not a Tensor; ${String(parent)}.`);
    });
    this.dtype = dtype;
    this.reparameterizationType = reparameterizationType;
    this.allowNanStats = allowNanStats;
    this.validateArgs = validateArgs;
    this.parameters = parameters ?? {};
    this.graphParents = [...(graphParents ?? [])];
    this.name = name?.endsWith("/") ? name : inNameScope(name || this.constructor.name, "", [], String);
  }

  /** The names of what the constructor takes by position. */
  protected positional(): readonly string[] {
    return [];
  }

  /** Another distribution of this class, with some parameters replaced. */
  copy(overrides: Parameters = {}): this {
    const given: Record<string, unknown> = { ...this.parameters, ...overrides };
    const order = this.positional();
    const options = Object.fromEntries(Object.entries(given).filter(([key]) => !order.includes(key)));
    return Reflect.construct(this.constructor as new () => this, [...order.map(key => given[key]), options]) as this;
  }

  protected addGraphParent(parent: Tensor): void {
    this.graphParents.push(parent);
  }

  // ---- hooks: TensorFlow's names, the underscore included, since a public method has the name without ----

  protected _batchShapeTensor(): Tensor {
    throw this.missing("batch_shape_tensor");
  }
  protected _batchShape(): TensorShape {
    return TensorShape.unknown();
  }
  protected _eventShapeTensor(): Tensor {
    throw this.missing("event_shape_tensor");
  }
  protected _eventShape(): TensorShape {
    return TensorShape.unknown();
  }
  protected _sampleN(_n: Tensor | number, _seed?: SampleOptions["seed"]): Tensor {
    throw this.missing("sample_n");
  }
  protected _logProb(_value: Tensor): Tensor {
    throw this.missing("log_prob");
  }
  protected _prob(_value: Tensor): Tensor {
    throw this.missing("prob");
  }
  protected _logCdf(_value: Tensor): Tensor {
    throw this.missing("log_cdf");
  }
  protected _cdf(_value: Tensor): Tensor {
    throw this.missing("cdf");
  }
  protected _logSurvivalFunction(_value: Tensor): Tensor {
    throw this.missing("log_survival_function");
  }
  protected _survivalFunction(_value: Tensor): Tensor {
    throw this.missing("survival_function");
  }
  protected _quantile(_value: Tensor): Tensor {
    throw this.missing("quantile");
  }
  protected _entropy(): Tensor {
    throw this.missing("entropy");
  }
  protected _mean(): Tensor {
    throw this.missing("mean");
  }
  protected _variance(): Tensor {
    throw this.missing("variance");
  }
  protected _stddev(): Tensor {
    throw this.missing("stddev");
  }
  protected _covariance(): Tensor {
    throw this.missing("covariance");
  }
  protected _mode(): Tensor {
    throw this.missing("mode");
  }

  private missing(what: string): NotImplementedError {
    return new NotImplementedError(`${what} is not implemented: ${this.constructor.name}`);
  }

  // ---- shapes ----

  /** The shape of one sample's independent, differently parameterized draws, as far as it is known. */
  get batchShape(): TensorShape {
    return this._batchShape();
  }

  /** The shape of one draw, as far as it is known. */
  get eventShape(): TensorShape {
    return this._eventShape();
  }

  batchShapeTensor({ name }: { readonly name?: string | null } = {}): Tensor {
    return this.inScope(name ?? "batch_shape_tensor", () => knownShape(this.batchShape, "batch_shape") ?? this._batchShapeTensor());
  }

  eventShapeTensor({ name }: { readonly name?: string | null } = {}): Tensor {
    return this.inScope(name ?? "event_shape_tensor", () => knownShape(this.eventShape, "event_shape") ?? this._eventShapeTensor());
  }

  isScalarEvent(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "is_scalar_event", () =>
      convertToTensor(
        isScalar(this.eventShape, () => this.eventShapeTensor()),
        { name: "is_scalar_event" },
      ),
    );
  }

  isScalarBatch(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "is_scalar_batch", () =>
      convertToTensor(
        isScalar(this.batchShape, () => this.batchShapeTensor()),
        { name: "is_scalar_batch" },
      ),
    );
  }

  /** The shapes of the parameters for samples of a given shape. */
  static paramShapes(sampleShape: TensorLike, { name }: { readonly name?: string | null } = {}): Readonly<Record<string, Tensor>> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass has its own
    return inNameScope({ name }, "DistributionParamShapes", [sampleShape], () => this._paramShapes(sampleShape));
  }

  /** The same as known shapes. @throws ValueError if `sampleShape` is not fully known. */
  static paramStaticShapes(sampleShape: TensorLike): Readonly<Record<string, TensorShape>> {
    if (sampleShape instanceof TensorShape && !sampleShape.isFullyDefined)
      throw new ValueError("TensorShape sample_shape must be fully defined");
    // biome-ignore lint/complexity/noThisInStatic: a subclass has its own
    const entries = Object.entries(this.paramShapes(sampleShape)).map(([key, shape]) => {
      const known = constantValue(shape);
      if (known === undefined) throw new ValueError("sample_shape must be a fully-defined TensorShape or list/tuple");
      return [key, new TensorShape(numbersOf(known))] as const;
    });
    return Object.fromEntries(entries);
  }

  protected static _paramShapes(_sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    throw new NotImplementedError("_param_shapes not implemented");
  }

  // ---- the public methods ----

  /** Draws of shape `[...sampleShape, ...batchShape, ...eventShape]`. */
  sample(sampleShape: TensorLike = [], { seed, name, ...others }: SampleOptions = {}): Tensor {
    refuseOthers(others);
    return this.inScope(name ?? "sample", () => {
      const given = convertToTensor(sampleShape, { dtype: "int32", name: "sample_shape" });
      const { shape, count } = expandedToVector(given);
      const drawn = this._sampleN(count, seed);
      const inner = getItem(shapeOf(drawn), [1, null]);
      const samples = reshape(drawn, concat([shape, inner], 0));
      this.setSampleShape(samples, shape);
      return samples;
    }, [sampleShape]);
  }

  /** The logarithm of the density or probability of `value`. */
  logProb(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "log_prob", value, x =>
      either(
        () => this._logProb(x),
        () => log(this._prob(x)),
      ),
    );
  }

  /** The density or probability of `value`. */
  prob(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "prob", value, x =>
      either(
        () => this._prob(x),
        () => exp(this._logProb(x)),
      ),
    );
  }

  /** log P(X ≤ value). */
  logCdf(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "log_cdf", value, x =>
      either(
        () => this._logCdf(x),
        () => log(this._cdf(x)),
      ),
    );
  }

  /** P(X ≤ value). */
  cdf(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "cdf", value, x =>
      either(
        () => this._cdf(x),
        () => exp(this._logCdf(x)),
      ),
    );
  }

  /** log P(X > value). */
  logSurvivalFunction(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "log_survival_function", value, x =>
      either(
        () => this._logSurvivalFunction(x),
        () => log1p(neg(this.cdf(x))),
      ),
    );
  }

  /** P(X > value). */
  survivalFunction(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "survival_function", value, x =>
      either(
        () => this._survivalFunction(x),
        () => sub(1, this.cdf(x)),
      ),
    );
  }

  /** The x with P(X ≤ x) = value. */
  quantile(value: TensorLike, option?: NameOption): Tensor {
    return this.ofValue(option, "quantile", value, x => this._quantile(x));
  }

  /** Shannon's entropy, in nats. */
  entropy(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "entropy", () => this._entropy());
  }

  mean(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "mean", () => this._mean());
  }

  variance(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "variance", () =>
      either(
        () => this._variance(),
        () => square(this._stddev()),
      ),
    );
  }

  stddev(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "stddev", () =>
      either(
        () => this._stddev(),
        () => sqrt(this._variance()),
      ),
    );
  }

  /** The matrix of covariances between the elements of an event. */
  covariance(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "covariance", () => this._covariance());
  }

  mode(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "mode", () => this._mode());
  }

  /** -Σ p log q: what this distribution's draws cost when coded for `other`. */
  crossEntropy(other: Distribution, option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "cross_entropy", () => this._crossEntropy(other));
  }

  /** Σ p log(p / q), this distribution being p. */
  klDivergence(other: Distribution, option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "kl_divergence", () => this._klDivergence(other));
  }

  protected _crossEntropy(other: Distribution): Tensor {
    return crossEntropy(this, other, { allowNanStats: this.allowNanStats });
  }

  protected _klDivergence(other: Distribution): Tensor {
    return klDivergence(this, other, { allowNanStats: this.allowNanStats });
  }

  toString(): string {
    const { batchShape: batch, eventShape: event } = this;
    const known = (label: string, shape: TensorShape): string => (shape.rank === null ? "" : `, ${label}=${shape}`);
    const shapes = `${known("batch_shape", batch)}${known("event_shape", event)}`;
    return `tfp.distributions.${this.constructor.name}("${this.name}"${shapes}, dtype=${this.dtype})`;
  }

  // ---- how they do it ----

  /** Inside this distribution's scope, in a scope of the method's own. */
  protected inScope<R>(name: string | { toString(): string }, body: () => R, values: readonly unknown[] = []): R {
    const graph = graphFor(this.graphParents[0]?.graph);
    return graph.asDefault(() => graph.nameScope(this.name, () => inNameScope({ name }, "", [values, this.graphParents], body)));
  }

  private ofValue(option: NameOption | undefined, fallback: string, value: TensorLike, body: (x: Tensor) => Tensor): Tensor {
    return this.inScope(named(option).name ?? fallback, () => body(convertToTensor(value, { name: "value", preferredDtype: this.dtype })), [
      value,
    ]);
  }

  /** Tells the samples' shape what is known of its three parts. */
  private setSampleShape(samples: Tensor, sampleShape: Tensor): void {
    const known = constantValue(sampleShape);
    const outer = known === undefined ? TensorShape.unknown() : new TensorShape(numbersOf(known));
    const { batchShape: batch, eventShape: event } = this;
    const open = (count: number): TensorShape => TensorShape.unknownOfRank(count);
    let all = samples.shape.rank;
    if (all === null && outer.rank !== null && batch.rank !== null && event.rank !== null) {
      all = outer.rank + batch.rank + event.rank;
      samples.setShape(open(all));
    }
    if (all === null) return;
    if (outer.rank !== null) samples.setShape(outer.concatenate(open(all - outer.rank)));
    if (event.rank !== null) samples.setShape(open(all - event.rank).concatenate(event));
    if (batch.rank === null) return;
    const before = outer.rank ?? (event.rank === null ? null : all - batch.rank - event.rank);
    if (before !== null)
      samples.setShape(
        open(before)
          .concatenate(batch)
          .concatenate(open(all - before - batch.rank)),
      );
  }
}

/** The first that is implemented. @throws what the first throws if neither is. */
function either(first: () => Tensor, second: () => Tensor): Tensor {
  try {
    return first();
  } catch (missing) {
    if (!(missing instanceof NotImplementedError)) throw missing;
    try {
      return second();
    } catch (other) {
      throw other instanceof NotImplementedError ? missing : other;
    }
  }
}

const knownShape = (shape: TensorShape, name: string): Tensor | undefined =>
  shape.isFullyDefined ? convertToTensor(shape.asList(), { dtype: "int32", name }) : undefined;

function isScalar(known: TensorShape, dynamic: () => Tensor): TensorLike {
  if (known.rank !== null) return known.rank === 0;
  const shape = dynamic();
  const size = shape.shape.dim(0);
  return size === null ? equal(getItem(shapeOf(shape), 0), 0) : size === 0;
}

/** A sample shape as a vector, and how many draws that is. @throws ValueError for a matrix. */
function expandedToVector(given: Tensor): { shape: Tensor; count: Tensor | number } {
  const known = constantValue(given);
  const count = known === undefined ? reduceProd(given) : numbersOf(known).reduce((product, size) => product * size, 1);
  const { rank: dimensions } = given.shape;
  if (dimensions === null) {
    const isOne = equal(rank(given), 0);
    return { shape: reshape(given, pickedVector(isOne, [1], shapeOf(given))), count };
  }
  if (dimensions > 1) throw new ValueError("Input is neither scalar nor vector.");
  if (dimensions === 1) return { shape: given, count };
  if (known === undefined) return { shape: reshape(given, [1]), count };
  return { shape: convertToTensor(NDArray.from([Number(known.item())], "int32", [1]), { name: "sample_shape" }), count };
}

/** One of two vectors, by a condition that is known while running. */
const pickedVector = (condition: Tensor, whenTrue: TensorLike, whenFalse: Tensor): Tensor =>
  inNameScope("pick_vector", "pick_vector", [condition], () => {
    const first = convertToTensor(whenTrue, { name: "true_vector", dtype: whenFalse.dtype });
    const size = getItem(shapeOf(first), 0);
    return slice(concat([first, whenFalse], 0), [whereV2(condition, 0, size)], [where(condition, size, -1) as Tensor]);
  });
