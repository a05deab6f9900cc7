// What every layer and every RNN cell is: a name, a variable scope opened at the first use, the variables made in it, and the losses and updates
// that go with them. The layers themselves: layers*.ts; cells: rnn-cell*.ts.
// Names follow the legacy layers of Keras: variables by variable scope, operations by the name scope opened when the layer was made.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { ArrayLike, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { Operation, type Tensor } from "../../graph/operation.ts";
import { collect, isOptions } from "../../ops/arguments.ts";
import { shape as shapeOf } from "../../ops/array/array.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { cast } from "../../ops/math/cast.ts";
import { truediv } from "../../ops/operators.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { initializerNamed } from "../variables/initializer-names.ts";
import { checkIdentifiers } from "./keras-identifiers.ts";
import type { InputSpec } from "./input-spec.ts";
import { globalVariables } from "../variables/variable-lists.ts";
import { PartitionedVariable, type Partitioner } from "../variables/partitioned-variable.ts";
import {
  getVariable,
  type Regularizer,
  type Reuse,
  type VariableInitializer,
  type VariableScope,
  variableScope,
} from "../variables/variable-scope.ts";
import type { Constraint, Runner, Variable } from "../variables/variables.ts";

export interface LayerOptions {
  readonly trainable?: boolean;
  /** Names the variable scope; without it one is made up: dense, dense_1 … */
  readonly name?: string | null;
  readonly dtype?: DType | null;
  /** Uses the variables of an earlier layer of this name. */
  readonly reuse?: Reuse;
  /** A variable scope to open at once, as it is; without it one is made unique when the layer is first used. */
  readonly scope?: string | null;
}

/** What every layer takes by name, after its own arguments. */
export const layerArguments = ["trainable", "name", "reuse", "dtype", "scope"] as const;

export interface WeightOptions {
  readonly shape: readonly number[] | TensorShape;
  /** That of the layer, or float32, unless given. */
  readonly dtype?: DType;
  /** An initializer, or the name of one: "glorot_uniform". */
  readonly initializer?: VariableInitializer | string | null | undefined;
  readonly regularizer?: Regularizer | null | undefined;
  readonly constraint?: Constraint | null | undefined;
  readonly trainable?: boolean;
  readonly partitioner?: Partitioner | null | undefined;
}

const weightOrder = [
  "shape",
  "dtype",
  "initializer",
  "regularizer",
  "trainable",
  "constraint",
  "useResource",
  "synchronization",
  "aggregation",
  "partitioner",
];

/** How often each kind of layer was made in a graph, for the names in messages. */
const countsOf = (graph: Graph): Map<string, number> => graph.attached(countsOf, () => new Map<string, number>());

/** Arguments that may be given by their names, `cell({ inputs, state })`, in their places. */
function inPlace(given: readonly unknown[]): readonly unknown[] {
  const [named] = given;
  if (given.length !== 1 || !isOptions(named) || !("inputs" in named)) return given;
  const { inputs, state, ...others } = named;
  return "state" in named ? [inputs, state, others] : [inputs, others];
}

/** The layer as something that can be called: every property is the layer's own. */
function callable<T extends ScopedLayer>(layer: T): T {
  const own = (): void => {};
  return new Proxy(own, {
    apply: (_, __, given) => layer.apply(...(inPlace(given) as never[])),
    get: (_, key, receiver) => Reflect.get(layer, key, receiver),
    set: (_, key, value) => Reflect.set(layer, key, value),
    has: (_, key) => Reflect.has(layer, key),
    ownKeys: () => Reflect.ownKeys(layer),
    getPrototypeOf: () => Reflect.getPrototypeOf(layer),
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(layer, key),
    defineProperty: (_, key, descriptor) => Reflect.defineProperty(layer, key, descriptor),
    deleteProperty: (_, key) => Reflect.deleteProperty(layer, key),
  }) as object as T;
}

/** Variables under one scope, and what is computed with them. */
export abstract class ScopedLayer {
  /** May be set later, too: the layer's variables then count as trainable or not, in its own lists. */
  trainable: boolean;
  /** What the variables are made of; that of the first input unless it was given. */
  readonly dtype: DType | null;
  /** The name in messages: as given, or made unique in the graph. */
  readonly name: string;
  built = false;
  /** What inputs must be; checked whenever the layer is applied. */
  inputSpec: InputSpec | null = null;
  readonly losses: Tensor[] = [];
  readonly updates: Operation[] = [];
  /** What it was made with, beside arguments that have to be there. */
  readonly madeWith: object;
  private readonly baseName: string;
  private readonly reuse: Reuse;
  private scope: VariableScope | null = null;
  private readonly weightList: Variable[] = [];
  protected readonly activityRegularizer: Regularizer | null;

  constructor(kind: string, options: LayerOptions = {}, activityRegularizer: Regularizer | null = null) {
    const { trainable = true, name, dtype, reuse, scope } = options;
    checkIdentifiers({ ...options, activityRegularizer });
    this.madeWith = options;
    this.trainable = trainable;
    this.dtype = dtype ?? null;
    this.reuse = reuse ?? null;
    this.activityRegularizer = activityRegularizer;
    this.baseName = name || kind;
    this.name = name || madeUpName(kind);
    if (scope) this.scope = variableScope(scope, opened => opened);
    // biome-ignore lint/correctness/noConstructorReturn: a layer is called like a function, as in Python
    return callable(this);
  }

  /** Makes the variables for inputs of a shape: what layers of a program's own override. TF: Layer.build. */
  build(inputShape: TensorShape): void {
    void inputShape;
    this.built = true;
  }

  /** What `layer(…)` does. */
  abstract apply(...given: never[]): unknown;

  get variables(): readonly Variable[] {
    return this.weights;
  }
  /** Those that may be trained first. TF: Layer.weights. */
  get weights(): readonly Variable[] {
    return [...this.weightList.filter(({ trainable }) => trainable), ...this.weightList.filter(({ trainable }) => !trainable)];
  }
  get trainableVariables(): readonly Variable[] {
    return this.trainable ? this.weightList.filter(({ trainable }) => trainable) : [];
  }
  get trainableWeights(): readonly Variable[] {
    return this.trainableVariables;
  }
  get nonTrainableVariables(): readonly Variable[] {
    return this.weightList.filter(variable => !this.trainableVariables.includes(variable));
  }
  get nonTrainableWeights(): readonly Variable[] {
    return this.nonTrainableVariables;
  }
  /** What variables are made of, and what is computed in. TF: Layer.variable_dtype, Layer.compute_dtype. */
  get variableDtype(): DType | null {
    return this.dtype;
  }
  get computeDtype(): DType | null {
    return this.dtype;
  }
  /** Whether anything is kept from one batch to the next: nothing is. TF: Layer.stateful. */
  get stateful(): boolean {
    return false;
  }
  /** Whether the layer runs outside of graphs only: none does. TF: Layer.dynamic. */
  get dynamic(): boolean {
    return false;
  }
  /** Whether masks of Keras go through it: they do where every element stays in its place. TF: Layer.supports_masking. */
  get supportsMasking(): boolean {
    return false;
  }
  /** What a Keras model would report: nothing. TF: Layer.metrics. */
  get metrics(): readonly Tensor[] {
    return [];
  }
  get submodules(): readonly ScopedLayer[] {
    return [];
  }

  /** How many numbers its variables hold. TF: Layer.count_params. @throws ValueError before they are made. */
  countParams(): number {
    if (!this.built)
      throw new ValueError(
        `You tried to call \`count_params\` on ${this.name}, but the layer isn't built. You can build it manually via: \`${this.name}.build(batch_input_shape)\`.`,
        "Calling it with a tensor makes its variables, too.",
      );
    return this.weightList.reduce((sum, { shape }) => sum + (shape.size ?? 0), 0);
  }

  /** What `weights` hold in `session` or the default session. TF: Layer.get_weights, which waits. */
  getWeights(session?: Runner | null): Promise<NDArray[]> {
    return Promise.all(this.weights.map(variable => variable.eval(session)));
  }
  /** Gives `weights` values, in their order. TF: Layer.set_weights, which waits. @throws ValueError if they are not as many or of other shapes. */
  async setWeights(weights: readonly ArrayLike[], session?: Runner | null): Promise<void> {
    // Few programs call it, so it is no part of the page's first modules.
    return (await import("./layer-weights.ts")).setWeights(this, weights, session);
  }

  /** The losses: those of all calls. TF: Layer.get_losses_for. */
  getLossesFor(_inputs: unknown = null): readonly Tensor[] {
    return this.losses;
  }
  /** The updates: those of all calls. TF: Layer.get_updates_for. */
  getUpdatesFor(_inputs: unknown = null): readonly Operation[] {
    return this.updates;
  }

  get scopeName(): string {
    if (this.scope === null)
      throw new ValueError(
        `No name available for layer scope because the layer "${this.name}" has not been used yet. The scope name  is determined the first time the layer instance is called. You must therefore call the layer before querying \`scope_name\`.`,
      );
    return this.scope.name;
  }

  /** Runs `body` where the layer makes its variables and nodes. `scope` names the variable scope if the layer has none yet. */
  protected inScope<R>(graph: Graph, body: () => R, scope?: string | VariableScope | null): R {
    return graph.asDefault(() => {
      this.openScope(scope ?? null);
      const reuse = this.built ? true : this.reuse;
      return variableScope(this.scope, { reuse, auxiliaryNameScope: false }, opened =>
        graph.nameScope(opened.originalNameScope, () => {
          const before = this.updates.length;
          const result = body();
          // The collection exists from the first layer on, as in TensorFlow, even while it is empty.
          graph.getCollectionRef(GraphKeys.UPDATE_OPS).push(...this.updates.slice(before));
          return result;
        }),
      );
    });
  }

  private openScope(scope: string | VariableScope | null): void {
    if (this.scope !== null) return;
    this.scope = this.reuse
      ? variableScope(scope ?? this.baseName, opened => opened)
      : variableScope(scope, { defaultName: this.baseName }, opened => opened);
  }

  protected regularizeActivity(output: Tensor): void {
    const { activityRegularizer } = this;
    if (activityRegularizer === null) return;
    const loss = output.graph.nameScope("ActivityRegularizer", () => {
      const penalty = activityRegularizer(output);
      return penalty ? truediv(penalty, cast(getItem(shapeOf(output), 0), output.dtype)) : null;
    });
    if (loss !== null) this.addLoss(loss);
  }

  /** Keeps losses of the layer, in the collection REGULARIZATION_LOSSES, too. TF: Layer.add_loss. */
  addLoss(losses: Tensor | readonly Tensor[], _inputs?: unknown): void {
    for (const loss of [losses].flat() as Tensor[]) {
      this.losses.push(loss);
      loss.graph.addToCollection(GraphKeys.REGULARIZATION_LOSSES, loss);
    }
  }

  /** Keeps operations to be run beside a training step; of those that `call` adds the collection UPDATE_OPS knows. TF: Layer.add_update. */
  addUpdate(updates: Operation | Tensor | readonly (Operation | Tensor)[]): void {
    for (const update of [updates].flat() as (Operation | Tensor)[]) this.updates.push(update instanceof Operation ? update : update.op);
  }

  /** A variable of the layer, under its variable scope; TensorFlow's arguments may be given by position. TF: Layer.add_weight, add_variable. */
  protected addWeight(name: string, ...from: readonly unknown[]): Variable {
    const {
      shape: sizes = [],
      dtype,
      regularizer,
      trainable = true,
      initializer: given,
      ...others
    } = collect<WeightOptions>(weightOrder, from);
    const shape = sizes instanceof TensorShape ? sizes.asNumbers() : sizes;
    const rest = { ...others, dtype: dtype ?? this.dtype ?? "float32" };
    const existing = new Set(globalVariables());
    const initializer = typeof given === "string" && rest.dtype !== "string" ? initializerNamed(given) : given;
    const variable: Variable | PartitionedVariable = getVariable(name, shape, {
      ...rest,
      initializer,
      trainable: trainable && this.trainable,
    });
    const parts = variable instanceof PartitionedVariable ? variable.parts : [variable];
    this.weightList.push(...parts);
    if (regularizer && !parts.some(part => existing.has(part))) {
      const loss = variable.graph.nameScope(`${name}/Regularizer`, () => regularizer(variable));
      if (loss) this.addLoss(loss);
    }
    return variable;
  }

  protected addVariable(name: string, ...from: readonly unknown[]): Variable {
    return this.addWeight(name, ...from);
  }

  /** @throws ValueError unless the input's rank is known to be `rank` (or at least that). */
  protected checkRank(input: Tensor, rank: number, isMinimum = false): void {
    const found = input.shape.rank;
    if (found === null || (isMinimum ? found >= rank : found === rank)) return;
    const shown = input.shape.asList().map(d => `Dimension(${d ?? "None"})`);
    throw new ValueError(
      `Input 0 of layer "${this.name}" is incompatible with the layer: expected ${isMinimum ? "min_ndim" : "ndim"}=${rank}, found ndim=${found}. Full shape received: (${shown.join(", ")}${shown.length === 1 ? "," : ""})`,
    );
  }
}

function madeUpName(kind: string): string {
  const counts = countsOf(getDefaultGraph());
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  return `${kind}_${count}`;
}

/** A class's name as layers are called: MyDense, my_dense. */
export const snakeName = (name: string): string =>
  name
    .replace(/(.)([A-Z][a-z0-9]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
