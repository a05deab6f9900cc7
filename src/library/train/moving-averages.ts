// Exponential moving averages: assignMovingAverage (which batch normalization uses too) and ExponentialMovingAverage, which keeps a shadow
// variable for each variable.

import { itemsOf } from "../../graph/iterating.ts";
import { isFloating } from "../../base/dtype.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { type ByName, byName, collect } from "../../ops/arguments.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { group } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { minimum, pow } from "../../ops/math/math.ts";
import { add, mul, sub, truediv } from "../../ops/operators.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { zerosInitializer } from "../variables/initializers.ts";
import { globalVariables, movingAverageVariables, trainableVariables } from "../variables/variable-lists.ts";
import { getVariable, getVariableScope, variableScope } from "../variables/variable-scope.ts";
import { assign, assignSub, isVariableInitialized, Variable } from "../variables/variables.ts";
import { createSlot, operationOf, zerosSlot } from "./optimizer.ts";

/** variable -= (1 - decay)·(variable - value); with `zeroDebias` corrected for a start at zero (Kingma and Ba 2015). TF: assign_moving_average. */
export function assignMovingAverage(
  variable: Variable,
  value: TensorLike,
  decay: TensorLike,
  { zeroDebias = true, name }: { zeroDebias?: boolean; name?: string | null } = {},
): Tensor | Variable {
  const { graph } = variable;
  return graph.asDefault(() =>
    graph.nameScope(name ?? "AssignMovingAvg", scope => {
      const one = typeof decay === "number" ? 1 - decay : sub(1, decay);
      const converted = convertToTensor(one, { name: "decay" });
      const rate = converted.dtype === variable.dtype ? converted : cast(converted, variable.dtype);
      if (zeroDebias) return debiased(variable, value, rate);
      return assignSub(variable, mul(sub(variable, value), rate), { name: String(scope) });
    }),
  );
}

/** Keeps the biased average and the number of updates beside the variable, and sets it to their quotient. */
function debiased(variable: Variable, value: TensorLike, rate: Tensor): Tensor | Variable {
  const { graph } = variable;
  const own = (name: string, shape: Variable["shape"] | []): Variable =>
    graph.colocateWith(variable.op, undefined, () =>
      getVariable(uniqueInScope(name), shape, { dtype: variable.dtype, initializer: zerosInitializer(), trainable: false }),
    );
  const [biased, localStep] = variableScope(variable.op.name, { values: [variable] }, () => [
    own("biased", variable.shape),
    own("local_step", []),
  ]);
  const newBiased = assignSub(biased, mul(sub(biased, value), rate));
  const newStep = localStep.assignAdd(1);
  const factor = sub(1, pow(sub(1, rate), newStep));
  return assign(variable, truediv(newBiased, factor), { name: `${graph.getNameScope()}/` });
}

function uniqueInScope(name: string): string {
  const scope = getVariableScope();
  if (scope.reuse) return name;
  const taken = new Set(scope.globalVariables().map(variable => variable.op.name));
  const full = `${scope.name}/${name}`;
  if (!taken.has(full)) return name;
  let i = 1;
  while (taken.has(`${full}_${i}`)) i++;
  return `${name}_${i}`;
}

interface Options {
  readonly decay?: TensorLike;
  readonly numUpdates?: TensorLike | null;
  readonly zeroDebias?: boolean;
  readonly name?: string;
}

/** Keeps shadows of variables: shadow -= (1 - decay)·(shadow - variable). With `numUpdates` the decay is at most (1 + n) / (10 + n), so that
 *  early averages follow quickly. TF: tf.train.ExponentialMovingAverage. */
export class ExponentialMovingAverage {
  readonly name: string;
  private readonly decay: TensorLike;
  private readonly numUpdates: TensorLike | null;
  private readonly zeroDebias: boolean;
  private readonly averages = new Map<Tensor, Variable>();

  constructor(decay: TensorLike | Options, ...rest: readonly (TensorLike | Options | null | undefined)[]) {
    const options = collect<Options>(["decay", "numUpdates", "zeroDebias", "name"], [decay, ...rest]);
    this.decay = options.decay as TensorLike;
    this.numUpdates = options.numUpdates ?? null;
    this.zeroDebias = options.zeroDebias ?? false;
    this.name = options.name ?? "ExponentialMovingAverage";
  }

  /** An operation that updates the shadows of variables or tensors (default: the trainable variables). @throws TypeError for integers. */
  apply(varList?: ByName<"varList", readonly (Variable | Tensor)[] | null>): Operation {
    const list = itemsOf(byName("varList", varList) ?? trainableVariables());
    // A shadow that was made by an earlier call is not debiased, as in TensorFlow.
    const debiased = new Set<Variable>();
    for (const variable of list) {
      if (!isFloating(variable.dtype)) throw new TypeError(`The variables must be half, float, or double: ${variable.name}`);
      if (this.averages.has(keyOf(variable))) continue;
      const shadow = this.shadowOf(variable);
      this.averages.set(keyOf(variable), shadow);
      if (this.zeroDebias && variable instanceof Tensor) debiased.add(shadow);
    }
    const graph = list[0]?.graph ?? getDefaultGraph();
    return graph.asDefault(() => graph.nameScope(this.name, scope => group(...this.updates(list, debiased), { name: String(scope) })));
  }

  private updates(list: readonly (Variable | Tensor)[], debiased: ReadonlySet<Variable>): Operation[] {
    let decay = convertToTensor(this.decay, { dtype: this.decay instanceof Tensor ? undefined : "float32", name: "decay" });
    if (this.numUpdates !== null) {
      const count = cast(this.numUpdates, "float32", { name: "num_updates" });
      decay = minimum(decay, truediv(add(1, count), add(10, count)));
    }
    return list.map(variable => {
      const shadow = this.averages.get(keyOf(variable)) as Variable;
      return operationOf(assignMovingAverage(shadow, variable, decay, { zeroDebias: debiased.has(shadow) }));
    });
  }

  private shadowOf(variable: Variable | Tensor): Variable {
    const { graph } = variable;
    return graph.controlDependencies(null, () => {
      if (variable instanceof Variable) {
        const start = graph.device(variable.device, () =>
          cond(
            isVariableInitialized(variable),
            () => variable.readValue(),
            () => variable.initialValue,
          ),
        ) as Tensor;
        const shadow = createSlot(variable, start, this.name, null);
        graph.addToCollection(GraphKeys.MOVING_AVERAGE_VARIABLES, variable);
        return shadow;
      }
      return zerosSlot(variable, this.name);
    });
  }

  /** The shadow variable, or null if `apply` was not called for it. */
  average(variable: Variable | Tensor): Variable | null {
    return this.averages.get(keyOf(variable)) ?? null;
  }

  /** The name of the shadow's operation, made or to be made. */
  averageName(variable: Variable | Tensor): string {
    const shadow = this.average(variable);
    if (shadow) return shadow.op.name;
    return getDefaultGraph().uniqueName(`${variable.op.name}/${this.name}`, false);
  }

  /** Names in a checkpoint → variables to load them into: averaged variables from their shadows, others from themselves. */
  variablesToRestore(movingAvgVariables?: readonly Variable[] | null): Record<string, Variable> {
    const averaged = new Set(movingAvgVariables ?? [...trainableVariables(), ...movingAverageVariables()]);
    const map: Record<string, Variable> = {};
    for (const variable of averaged) map[this.averageName(variable)] = variable;
    const names = new Set([...averaged].map(variable => variable.name));
    for (const variable of new Set(globalVariables())) {
      if (!names.has(variable.name) && !(variable.op.name in map)) map[variable.op.name] = variable;
    }
    return map;
  }
}

const keyOf = (variable: Variable | Tensor): Tensor => (variable instanceof Variable ? variable.handle : variable);
