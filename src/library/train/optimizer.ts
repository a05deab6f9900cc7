// The base of optimizers: gradients of a loss, one update per variable, slot variables beside the variables they belong to.
// Subclasses say which slots they keep and which op makes a step. Names and order of nodes are TensorFlow's (training/optimizer.py, slot_creator.py).

import { itemsOf } from "../../graph/iterating.ts";
import type { DType } from "../../base/dtype.ts";
import { NotImplementedError, RuntimeError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { pythonRepr, pythonType } from "../../base/python-text.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { convertToTensor, representation } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Graph } from "../../graph/graph.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { fromHere } from "../../graph/location.ts";
import { Operation, Tensor } from "../../graph/operation.ts";
import { gradients } from "../../gradients/gradients.ts";
import { collect, isOptions } from "../../ops/arguments.ts";
import { shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { unique } from "../../ops/array/partition.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { group, tuple } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { unsortedSegmentSum } from "../../ops/math/segment.ts";
import * as state from "../../ops/state/state.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { type Initializer, zerosInitializer } from "../variables/initializers.ts";
import { trainableVariables } from "../variables/variable-lists.ts";
import { getVariable, getVariableScope, variableScope } from "../variables/variable-scope.ts";
import { SlicePlace } from "../variables/variable-nodes.ts";
import { assignAdd, isVariableInitialized, Variable } from "../variables/variables.ts";

export type Gradient = Tensor | IndexedSlices | null;
// any: as tf.gradients
type FoundGradient = [gradient: any, variable: Variable];
export type GradientAndVariable = readonly [gradient: Gradient, variable: Variable];

/** Pairs; TypeScript takes one that a function of the program made, `([g, v]) => [tf.clipByNorm(g, 1), v]`, for a list of both. */
export type GradientsAndVariables = Iterable<readonly [TensorLike | IndexedSlices | null, Variable] | readonly (Gradient | Variable)[]>;

/** A hyperparameter: a number, a tensor, or a function that gives one when the update is built. */
export type Hyperparameter = TensorLike | (() => TensorLike);

/** How gradients wait for each other: not at all, all of one op, or all of the graph. */
export type GateGradients = 0 | 1 | 2;

type VariableList = Variable | readonly VariableList[] | { readonly [name: string]: VariableList };

export interface ComputeGradientsOptions {
  /** The variables to train; default: trainableVariables() of the default graph. */
  readonly varList?: VariableList | null | undefined;
  readonly gateGradients?: GateGradients | undefined;
  /** 0: AddN, 1: tree, 2: accumulateN. */
  readonly aggregationMethod?: 0 | 1 | 2 | null | undefined;
  readonly colocateGradientsWithOps?: boolean | undefined;
  /** Gradient of the loss itself, where it is not 1. */
  readonly gradLoss?: TensorLike | null | undefined;
}

export interface ApplyGradientsOptions {
  /** Counted up by one after the updates. */
  readonly globalStep?: Variable | Tensor | null | undefined;
  readonly name?: string | null | undefined;
}

export interface MinimizeOptions extends ComputeGradientsOptions, ApplyGradientsOptions {}

/** The op for ref variables and the op for resource variables that do the same. */
export interface StepOps {
  // any: each op checks its own record; here it is only passed on
  readonly onRef: (record: any) => unknown;
  // any: as above
  readonly onResource: (record: any) => unknown;
}

const trainableTypes: readonly DType[] = ["float32", "float64", "float16", "bfloat16"];

/** TF: tf.train.Optimizer. */
export abstract class Optimizer {
  static readonly GATE_NONE = 0;
  static readonly GATE_OP = 1;
  static readonly GATE_GRAPH = 2;
  protected readonly useLocking: boolean;
  protected readonly name: string;
  private readonly ownScope: boolean;
  /** Slot name → handle of the variable → slot. */
  private readonly slots = new Map<string, Map<Tensor, Variable>>();
  /** What belongs to no variable in particular, by name, for each graph: a checkpoint of objects names it so. */
  readonly nonSlots = new Map<Graph, Map<string, Variable>>();

  constructor(useLocking: boolean, name: string, useOwnNamescopeForNonSlotVars = false) {
    if (!name) throw new ValueError("Must specify the optimizer name");
    this.useLocking = useLocking;
    this.name = name;
    this.ownScope = useOwnNamescopeForNonSlotVars;
  }

  getName(): string {
    return this.name;
  }

  /** An operation that makes one step: gradients of `loss` with respect to the variables, then their updates. Without `varList` all trainable
   *  variables of the graph are trained. TF: minimize.
   *  @throws ValueError if no variable has a gradient, or the loss is not of a float type. */
  minimize(loss: TensorLike, options?: MinimizeOptions): Operation;
  minimize(loss: TensorLike, globalStep: Variable | Tensor | null, options?: MinimizeOptions): Operation;
  minimize(loss: TensorLike, ...rest: unknown[]): Operation {
    const order = ["globalStep", "varList", "gateGradients", "aggregationMethod", "colocateGradientsWithOps", "name", "gradLoss"];
    const { globalStep, name, ...options } = collect<MinimizeOptions>(order, rest);
    const pairs = this.computeGradients(loss, options);
    if (pairs.every(([gradient]) => gradient === null))
      throw new ValueError(
        `No gradients provided for any variable, check your graph for ops that do not support gradients, between variables ${listed(pairs)} and loss ${loss}.`,
        "Is the loss computed from these variables, and only by ops that have gradients?",
      );
    return this.applyGradients(pairs, { globalStep, name });
  }

  /** Pairs [gradient, variable]; the gradient is null where the loss does not depend on the variable. TF: compute_gradients. */
  computeGradients(loss: TensorLike, options?: ComputeGradientsOptions): FoundGradient[];
  computeGradients(loss: TensorLike, varList: VariableList | null, options?: ComputeGradientsOptions): FoundGradient[];
  computeGradients(loss: TensorLike, ...rest: unknown[]): FoundGradient[] {
    const order = ["varList", "gateGradients", "aggregationMethod", "colocateGradientsWithOps", "gradLoss"];
    const options = collect<ComputeGradientsOptions>(order, rest);
    const { varList, gateGradients = Optimizer.GATE_OP, aggregationMethod, colocateGradientsWithOps, gradLoss } = options;
    if (gateGradients !== 0 && gateGradients !== 1 && gateGradients !== 2)
      throw new ValueError(
        `gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  Not ${String(gateGradients)}`,
      );
    const target = loss instanceof Tensor || loss instanceof Variable ? loss : convertToTensor(loss);
    assertTrainable([target]);
    if (gradLoss instanceof Tensor || gradLoss instanceof Variable) assertTrainable([gradLoss]);
    const variables = varList ? flattened(varList) : [...trainableVariables(), ...resourceVariablesToTrain()];
    if (variables.length === 0) throw new ValueError("No variables to optimize.");
    let found: readonly Gradient[] = gradients(target, variables.map(gradientTarget), {
      gradYs: gradLoss ?? null,
      gateGradients: gateGradients === Optimizer.GATE_OP,
      aggregationMethod: aggregationMethod ?? null,
      colocateGradientsWithOps: colocateGradientsWithOps ?? false,
    });
    if (gateGradients === Optimizer.GATE_GRAPH) found = tuple(found) as readonly Gradient[];
    const pairs = variables.map((variable, i): [Gradient, Variable] => [found[i], variable]);
    assertTrainable(pairs.filter(([gradient]) => gradient !== null).map(([, variable]) => variable));
    return pairs;
  }

  /** An operation that updates the variables by their gradients; pairs with a null gradient are skipped. TF: apply_gradients. */
  applyGradients(gradsAndVars: GradientsAndVariables, options?: ApplyGradientsOptions): Operation;
  applyGradients(gradsAndVars: GradientsAndVariables, globalStep: Variable | Tensor | null, options?: ApplyGradientsOptions): Operation;
  applyGradients(given: GradientsAndVariables, ...rest: unknown[]): Operation {
    const { globalStep, name } = collect<ApplyGradientsOptions>(["globalStep", "name"], rest);
    const pairs = [...given].map((pair): [Gradient, Variable] => {
      const [gradient, variable] = itemsOf(pair) as readonly [TensorLike | IndexedSlices | null, Variable];
      return [gradientOf(gradient), variable];
    });
    if (pairs.length === 0) throw new ValueError("No variables provided.");
    const withGradient = pairs.filter((pair): pair is [Tensor | IndexedSlices, Variable] => pair[0] !== null);
    if (withGradient.length === 0) throw new ValueError(`No gradients provided for any variable: ${listed(pairs)}.`);
    for (const [, variable] of withGradient) {
      if (!(variable instanceof Variable)) throw new NotImplementedError(`('Trying to update a Tensor ', ${representation(variable)})`);
    }
    const ownName: unknown = name ?? this.name;
    if (typeof ownName !== "string")
      throw new TypeError(
        `\`default_name\` type (<class '${pythonType(ownName)}'>) is not a string type. You likely meant to pass this into the \`values\` kwarg.`,
      );
    const graph = withGradient[0][1].graph;
    return fromHere(() =>
      graph.asDefault(() => {
        graph.controlDependencies(null, () => this.createSlots(withGradient.map(([, variable]) => variable)));
        return graph.nameScope(ownName, scope => this.applyAll(graph, withGradient, globalStep ?? null, String(scope)));
      }),
    );
  }

  private applyAll(
    graph: Graph,
    pairs: readonly (readonly [Tensor | IndexedSlices, Variable])[],
    globalStep: Variable | Tensor | null,
    scope: string,
  ): Operation {
    this.prepare();
    const updates = pairs.map(([gradient, variable]) =>
      graph.nameScope(`update_${variable.op.name}`, () =>
        graph.colocateWith(variable.op, undefined, () => operationOf(this.updateOf(gradient, variable))),
      ),
    );
    const result =
      globalStep === null
        ? this.finish(updates, scope)
        : graph.controlDependencies([this.finish(updates, "update")], () =>
            graph.colocateWith(globalStep.op, undefined, () => countedUp(globalStep, scope)),
          );
    const trainOps = graph.getCollectionRef(GraphKeys.TRAIN_OP);
    if (!trainOps.includes(result)) trainOps.push(result);
    return result;
  }

  private updateOf(gradient: Tensor | IndexedSlices, variable: Variable): unknown {
    const { constraint } = variable;
    if (gradient instanceof IndexedSlices) {
      if (constraint !== null) throw new RuntimeError("Cannot use a constraint function on a sparse variable.");
      return variable.isResource
        ? this.resourceApplySparseDuplicateIndices(gradient.values, variable, gradient.indices)
        : this.applySparseDuplicateIndices(gradient, variable);
    }
    const update = variable.isResource ? this.resourceApplyDense(gradient, variable) : this.applyDense(gradient, variable);
    if (constraint === null) return update;
    return variable.graph.controlDependencies([operationOf(update)], () => variable.assign(constraint(convertToTensor(variable))));
  }

  // ---- what subclasses supply ----

  /** Makes the slots of variables that have none yet. */
  protected createSlots(variables: readonly Variable[]): void {
    void variables;
  }

  /** Makes tensors of the hyperparameters, inside the scope of the update. */
  protected prepare(): void {}

  /** The update of one variable: what an optimizer that does not replace applyGradients has to give. */
  protected applyDense(gradient: Tensor, variable: Variable): unknown {
    throw new UnimplementedError(
      `${this.constructor.name} does not say how ${gradient.name} changes ${variable.name}: it has no applyDense.`,
    );
  }

  /** The same by rows, whose indices are distinct. TF: _apply_sparse. */
  protected applySparse(gradient: IndexedSlices, variable: Variable): unknown {
    throw new UnimplementedError(
      `${this.name} has no update for sparse gradients (of ${variable}, at ${gradient.indices}, values ${gradient.values}).`,
    );
  }

  /** The same by rows that may repeat: sums the values of repeated ones first. TF: _apply_sparse_duplicate_indices. */
  protected applySparseDuplicateIndices({ values, indices, denseShape }: IndexedSlices, variable: Variable): unknown {
    const { y: rows, idx } = unique(indices);
    const summed = unsortedSegmentSum(values, idx, getItem(shapeOf(rows), 0));
    return this.applySparse(new IndexedSlices(summed, rows, denseShape), variable);
  }

  /** What Python's classes say apart for resource variables is what they say for others, unless a subclass overrides it. TF: _resource_apply_dense. */
  protected resourceApplyDense(gradient: Tensor, variable: Variable): unknown {
    return this.applyDense(gradient, variable);
  }

  /** TF: _resource_apply_sparse. */
  protected resourceApplySparse(values: Tensor, variable: Variable, indices: Tensor): unknown {
    return this.applySparse(new IndexedSlices(values, indices), variable);
  }

  /** TF: _resource_apply_sparse_duplicate_indices. */
  protected resourceApplySparseDuplicateIndices(values: Tensor, variable: Variable, indices: Tensor): unknown {
    if (this.resourceApplySparse === Optimizer.prototype.resourceApplySparse)
      return this.applySparseDuplicateIndices(new IndexedSlices(values, indices), variable);
    const { y: rows, idx } = unique(indices);
    return this.resourceApplySparse(unsortedSegmentSum(values, idx, getItem(shapeOf(rows), 0)), variable, rows);
  }

  /** What is left to do after all updates; the result is named `scope`. */
  protected finish(updates: readonly Operation[], scope: string): Operation {
    return group(...updates, { name: scope });
  }

  // ---- for subclasses ----

  /** A tensor of a hyperparameter, under its own name. */
  protected tensorOf(value: Hyperparameter | undefined, name: string): Tensor {
    return convertToTensor((typeof value === "function" ? value() : value) as TensorLike, { name });
  }

  /** The op that suits the variable, called with the variable's handle added to the record. */
  protected step({ onRef, onResource }: StepOps, variable: Variable, record: Readonly<Record<string, TensorLike | boolean>>): unknown {
    return (variable.isResource ? onResource : onRef)({ var: variable.handle, ...record, useLocking: this.useLocking });
  }

  /** The slot of a variable, or null. TF: get_slot. */
  getSlot(variable: Variable, name: string): Variable | null {
    return this.slots.get(name)?.get(variable.handle) ?? null;
  }

  /** The slot's ref or handle. */
  protected slot(variable: Variable, name: string): Tensor {
    const found = this.getSlot(variable, name);
    if (found === null) throw new ValueError(`${variable} has no slot '${name}'.`);
    return found.handle;
  }

  /** TF: get_slot_names. */
  getSlotNames(): string[] {
    return [...this.slots.keys()].sort();
  }

  /** All variables this optimizer made in the default graph, by name. TF: variables. */
  variables(): Variable[] {
    const graph = getDefaultGraph();
    const all = [...(this.nonSlots.get(graph)?.values() ?? []), ...[...this.slots.values()].flatMap(named => [...named.values()])];
    return all.filter(variable => variable.graph === graph).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  private keepSlot(variable: Variable, name: string, make: () => Variable): Variable {
    let named = this.slots.get(name);
    if (!named) {
      named = new Map();
      this.slots.set(name, named);
    }
    let slot = named.get(variable.handle);
    if (!slot) {
      slot = make();
      named.set(variable.handle, slot);
    }
    return slot;
  }

  protected zerosSlot(variable: Variable, name: string, operationName = this.name): Variable {
    return this.keepSlot(variable, name, () => zerosSlot(variable, operationName));
  }

  protected slotWithInitializer(
    variable: Variable,
    initializer: Initializer | TensorLike,
    name: string,
    operationName = this.name,
  ): Variable {
    return this.keepSlot(variable, name, () => createSlot(variable, initializer, operationName, variable.shape));
  }

  /** A slot that starts as a value of the graph. */
  protected slotWithValue(variable: Variable, value: Tensor, name: string, operationName = this.name): Variable {
    return this.keepSlot(variable, name, () => createSlot(variable, value, operationName, null));
  }

  /** A variable of the optimizer that belongs to no variable in particular; one for each graph. */
  protected nonSlotVariable(name: string, initialValue: TensorLike, colocateWith: Variable): Variable {
    const { graph } = colocateWith;
    let named = this.nonSlots.get(graph);
    if (!named) {
      named = new Map();
      this.nonSlots.set(graph, named);
    }
    let variable = named.get(name);
    if (!variable) {
      const options = { trainable: false, useResource: colocateWith.isResource };
      variable = graph.colocateWith(colocateWith.op, undefined, () =>
        this.ownScope
          ? graph.nameScope("", () =>
              variableScope(null, { defaultName: this.name }, () => getVariable(name, { initializer: initialValue, ...options })),
            )
          : new Variable(initialValue, { name, ...options }),
      );
      named.set(name, variable);
    }
    return variable;
  }

  protected getNonSlot(name: string): Variable {
    const variable = this.nonSlots.get(getDefaultGraph())?.get(name);
    if (!variable) throw new ValueError(`${this.name} has no variable '${name}' in this graph.`);
    return variable;
  }
}

/** `value` in the type of a variable. */
export const inTypeOf = <T extends Tensor | Variable>(variable: { readonly dtype: DType }, value: T): T | Tensor =>
  value.dtype === variable.dtype ? value : cast(value, variable.dtype);

// ---- small parts ----

const listed = (pairs: readonly (readonly [unknown, unknown])[]): string => pythonRepr(pairs.map(([, variable]) => String(variable)));

function flattened(list: VariableList): Variable[] {
  if (isOptions(list))
    return Object.keys(list)
      .sort()
      .flatMap(name => flattened(list[name] as VariableList));
  return Array.isArray(list) ? list.flatMap(flattened) : [list as Variable];
}

const resourceVariablesToTrain = (): Variable[] => getDefaultGraph().getCollection(GraphKeys.TRAINABLE_RESOURCE_VARIABLES);

/** What the gradient is taken with respect to: the ref or the resource handle; tensors as they are. */
function gradientTarget(variable: Variable | Tensor): Tensor {
  if (variable instanceof Tensor) return variable;
  if (variable instanceof Variable) return variable.handle;
  throw new TypeError(`Variables are wanted in varList, not ${String(variable)}.`);
}

function gradientOf(given: TensorLike | IndexedSlices | null): Gradient {
  if (given === null || given === undefined) return null;
  return given instanceof IndexedSlices ? given : convertToTensor(given);
}

function assertTrainable(tensors: readonly { readonly dtype: DType; readonly name: string }[]): void {
  for (const { dtype, name } of tensors) {
    if (!trainableTypes.includes(dtype))
      throw new ValueError(
        `Invalid type tf.${dtype} for ${name}, expected: [${trainableTypes.map(type => `tf.${type}`).join(", ")}].`,
        "Only floats have gradients: make it of floats from the start, for nothing flows through tf.cast(x, tf.float32) of integers.",
      );
  }
}

export function operationOf(update: unknown): Operation {
  if (update instanceof Operation) return update;
  return (update as Tensor | Variable).op;
}

function countedUp(globalStep: Variable | Tensor, scope: string): Operation {
  if (globalStep instanceof Variable && globalStep.isResource) {
    const value = convertToTensor(1, { dtype: globalStep.dtype });
    return state.AssignAddVariableOp({ resource: globalStep.handle, value, dtype: globalStep.dtype }, { name: scope });
  }
  return operationOf(assignAdd(globalStep, 1, { name: scope }));
}

// ---- slot variables ----

const variableTypes: readonly string[] = ["Variable", "VariableV2", "VarHandleOp"];

/** `<variable>/<name>` under the current variable scope; the second one of a name is `<variable>/<name>_1`. It lies where the variable does; that of a
 *  tensor lies anywhere. */
export function createSlot(
  variable: Variable | Tensor,
  initial: Initializer | TensorLike,
  name: string,
  shape: TensorShape | null,
): Variable {
  const { graph } = variable;
  const isValue = typeof initial !== "function";
  const validateShape = isValue ? convertToTensor(initial).shape.isFullyDefined : (shape?.isFullyDefined ?? true);
  const make = (): Variable => {
    const scope = getVariableScope();
    const { partitioner } = scope;
    scope.setPartitioner(null);
    const slot = getVariable("", isValue ? null : shape, {
      initializer: initial,
      trainable: false,
      useResource: variable instanceof Variable ? variable.isResource : null,
      dtype: isValue ? null : variable.dtype,
      validateShape,
    });
    scope.setPartitioner(partitioner);
    if (variable instanceof Variable) slot.saveSliceInfo = slotSliceInfo(variable, slot);
    return slot;
  };
  return variableScope(null, { defaultName: `${variable.op.name}/${name}` }, () =>
    variableTypes.includes(variable.op.type) ? graph.colocateWith(variable.op, undefined, make) : make(),
  );
}

/** The slot of a part is a part of the slot. */
function slotSliceInfo({ saveSliceInfo: info, op }: Variable, slot: Variable): SlicePlace | null {
  if (!info || slot.shape.rank === 0) return null;
  const name = slot.op.name.slice(op.name.length + 1);
  const rank = slot.shape.rank ?? info.fullShape.length;
  const [fullShape, offset, shape] = [info.fullShape, info.varOffset, info.varShape].map(list => list.slice(0, rank));
  return new SlicePlace(`${info.fullName}/${name}`, fullShape, offset, shape);
}

/** A slot of zeros, of a variable's shape or a tensor's. */
export function zerosSlot(variable: Variable | Tensor, name: string): Variable {
  if (variable.shape.isFullyDefined) return createSlot(variable, zerosInitializer(), name, variable.shape);
  if (variable instanceof Tensor) return createSlot(variable, zeros(shapeOf(variable), variable.dtype), name, null);
  const value = cond(
    isVariableInitialized(variable),
    () => variable.readValue(),
    () => variable.initialValue,
  ) as Tensor;
  return createSlot(variable, zeros(shapeOf(value), variable.dtype), name, null);
}
