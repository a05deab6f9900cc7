// SyncReplicasOptimizer: replicas bring gradients to accumulators, the chief's queue runner takes their means, makes the step and hands out tokens,
// for which the replicas wait. Nodes and names are TensorFlow's (training/sync_replicas_optimizer.py). Here, since it brings a hook with it.

import { RuntimeError, ValueError } from "../base/errors.ts";
import * as logging from "../base/logging.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { ConditionalAccumulator, type ConditionalAccumulatorBase, SparseConditionalAccumulator } from "../library/accumulator.ts";
import { FIFOQueue } from "../library/queue.ts";
import type { Coordinator } from "../library/train/coordinator.ts";
import type { ExponentialMovingAverage } from "../library/train/moving-averages.ts";
import {
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type Gradient,
  type GradientAndVariable,
  type GradientsAndVariables,
  operationOf,
  Optimizer,
} from "../library/train/optimizer.ts";
import { QueueRunner } from "../library/train/queue-runner.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { globalVariables, reportUninitializedVariables } from "../library/variables/variable-lists.ts";
import { assign, Variable } from "../library/variables/variables.ts";
import { collect } from "../ops/arguments.ts";
import { fill } from "../ops/array/array.ts";
import { group, noOp } from "../ops/flow/control-flow.ts";
import type { Session } from "../session/session.ts";
import { lackOf } from "./session-start.ts";
import { SessionRunHook } from "./session-run-hook.ts";

export interface SyncReplicasOptions {
  /** How many replicas there are; fewer than are aggregated bring several gradients each. Default: as many as are aggregated. */
  readonly totalNumReplicas?: number | null;
  readonly variableAverages?: ExponentialMovingAverage | null;
  readonly variablesToAverage?: readonly Variable[] | null;
  readonly useLocking?: boolean;
  readonly name?: string;
}

/** What is there once gradients have been applied. */
interface Applied {
  readonly globalStep: Variable;
  readonly tokens: FIFOQueue;
  readonly runner: QueueRunner;
}

/** An optimizer whose step is made of the mean of `replicasToAggregate` gradients, brought by runs of their own (in this process or of other sessions on
 *  one graph); a gradient computed before the last step is dropped. Needs the chief's queue runner, which `makeSessionRunHook(isChief)` starts.
 *  TF: tf.train.SyncReplicasOptimizer(opt, replicas_to_aggregate, total_num_replicas, variable_averages, variables_to_average, use_locking, name). */
export class SyncReplicasOptimizer extends Optimizer {
  /** Runs once in the chief, and in other replicas. TF: chief_init_op, local_step_init_op, ready_for_local_init_op. */
  chiefInitOp: Operation | undefined;
  localStepInitOp: Operation | undefined;
  readyForLocalInitOp: Tensor | undefined;
  private readonly wrapped: Optimizer;
  private readonly aggregated: number;
  private readonly total: number;
  private readonly options: SyncReplicasOptions;
  private applied: Applied | undefined;

  constructor(opt: Optimizer, replicasToAggregate: number, ...rest: readonly unknown[]) {
    const order = ["totalNumReplicas", "variableAverages", "variablesToAverage", "useLocking", "name"];
    const options = collect<SyncReplicasOptions>(order, rest);
    super(options.useLocking ?? false, options.name ?? "sync_replicas");
    this.wrapped = opt;
    this.aggregated = replicasToAggregate;
    this.total = options.totalNumReplicas ?? replicasToAggregate;
    this.options = options;
    logging.info("SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s", this.aggregated, this.total);
  }

  override computeGradients(loss: TensorLike, ...rest: unknown[]): [gradient: Gradient, variable: Variable][] {
    return this.wrapped.computeGradients(loss, ...(rest as [ComputeGradientsOptions?]));
  }

  /** What a replica runs: it brings its gradients and waits for a token, the step that it begins next.
   *  @throws ValueError without variables, or without a global step. */
  override applyGradients(given: GradientsAndVariables, ...rest: unknown[]): Operation {
    const { globalStep } = collect<ApplyGradientsOptions>(["globalStep", "name"], rest);
    const pairs = [...given] as GradientAndVariable[];
    if (pairs.length === 0) throw new ValueError("Must supply at least one variable");
    if (!(globalStep instanceof Variable))
      throw new ValueError("Global step is required to check staleness", "Pass tf.train.getOrCreateGlobalStep() for globalStep.");
    const graph = getDefaultGraph();
    const anchor = noOp();
    const localStep = graph.colocateWith(
      anchor,
      undefined,
      () =>
        new Variable(0, {
          trainable: false,
          collections: [GraphKeys.LOCAL_VARIABLES],
          dtype: globalStep.dtype,
          name: "sync_rep_local_step",
        }),
    );
    this.localStepInitOp = operationOf(assign(localStep, convertToTensor(globalStep)));
    this.readyForLocalInitOp = reportUninitializedVariables(globalVariables());
    return graph.nameScope(this.name, () => {
      const [taken, brought, accumulators] = this.accumulate(pairs, localStep);
      const beside = <R>(body: () => R): R => graph.device(globalStep.device, () => graph.nameScope("", body));
      const update = beside(() => this.wrapped.applyGradients(taken, { globalStep }));
      const tokens = beside(
        () => new FIFOQueue(-1, [globalStep.dtype], { shapes: [[]], name: "sync_token_q", sharedName: "sync_token_q" }),
      );
      const [trainOp, runner] = beside(() => {
        const token = graph.controlDependencies(brought, () => tokens.dequeue() as Tensor);
        const train = assign(localStep, token);
        // Read anew: TensorFlow's Fill sees the step counted up through the reference, behind a read that came before.
        let sync = graph.controlDependencies([update], () =>
          tokens.enqueueMany([fill([Math.max(this.total, this.aggregated)], globalStep.readValue())]),
        );
        const { variableAverages: averages, variablesToAverage } = this.options;
        if (averages) {
          const before = sync;
          sync = graph.controlDependencies([before], () => graph.nameScope("", () => averages.apply(variablesToAverage ?? undefined)));
        }
        return [train, new QueueRunner(tokens, [sync])] as const;
      });
      const steps = accumulators.map(([accumulator, device]) =>
        graph.device(device, () => accumulator.setGlobalStep(convertToTensor(globalStep), { name: "SetGlobalStep" })),
      );
      this.chiefInitOp = group(this.localStepInitOp as Operation, ...steps);
      this.applied = { globalStep, tokens, runner };
      return operationOf(trainOp);
    });
  }

  /** An accumulator for each gradient: their means with their variables, what brings the gradients, and where each lies. */
  private accumulate(pairs: readonly (readonly [TensorLike | IndexedSlices | null, Variable])[], localStep: Variable) {
    const taken: [Gradient, Variable][] = [];
    const brought: Operation[] = [];
    const accumulators: (readonly [ConditionalAccumulatorBase, string])[] = [];
    for (const [gradient, variable] of pairs) {
      getDefaultGraph().device(variable.device, () => {
        if (gradient === null) return void taken.push([null, variable]);
        const sharedName = `${variable.name}/grad_accum`;
        const step = { localStep: convertToTensor(localStep) };
        if (gradient instanceof IndexedSlices) {
          const accumulator = new SparseConditionalAccumulator(gradient.dtype, { shape: [], sharedName });
          brought.push(accumulator.applyIndexedSlicesGrad(gradient, step));
          taken.push([accumulator.takeIndexedSlicesGrad(this.aggregated), variable]);
          accumulators.push([accumulator, variable.device]);
        } else {
          const dense = convertToTensor(gradient);
          const accumulator = new ConditionalAccumulator(dense.dtype, { shape: variable.shape, sharedName });
          brought.push(accumulator.applyGrad(dense, step));
          taken.push([accumulator.takeGrad(this.aggregated), variable]);
          accumulators.push([accumulator, variable.device]);
        }
      });
    }
    return [taken, brought, accumulators] as const;
  }

  /** What the chief starts: it makes the steps and hands out tokens. TF: get_chief_queue_runner. @throws ValueError before applyGradients(). */
  getChiefQueueRunner(): QueueRunner {
    if (!this.applied) throw new ValueError("Should be called after apply_gradients().");
    return this.applied.runner;
  }

  /** Hands out the first tokens, as many as are aggregated unless said. TF: get_init_tokens_op.
   *  @throws ValueError before applyGradients(), or for too few to finish the first step. */
  getInitTokensOp(numTokens = -1): Operation {
    if (!this.applied) throw new ValueError("get_init_tokens_op() should be called after apply_gradients().");
    const needed = this.aggregated - this.total;
    if (numTokens !== -1 && numTokens < needed)
      throw new ValueError(`Too few tokens to finish the first step: ${numTokens} (given) vs ${needed} (needed)`);
    const count = numTokens === -1 ? this.aggregated : numTokens;
    if (count <= 0) return noOp({ name: "no_init_tokens" });
    const { globalStep, tokens } = this.applied;
    const graph = getDefaultGraph();
    return graph.device(globalStep.device, () =>
      graph.nameScope("", () => tokens.enqueueMany([fill([count], convertToTensor(globalStep))])),
    );
  }

  override getSlot(variable: Variable, name: string): Variable | null {
    return this.wrapped.getSlot(variable, name);
  }

  override getSlotNames(): string[] {
    return this.wrapped.getSlotNames();
  }

  override variables(): Variable[] {
    return this.wrapped.variables();
  }

  /** Initializes a replica's part, and in the chief starts the runner. TF: make_session_run_hook(is_chief, num_tokens). */
  makeSessionRunHook(isChief: boolean, ...rest: readonly unknown[]): SessionRunHook {
    const { numTokens } = collect<{ numTokens?: number }>(["numTokens"], rest);
    return new SyncReplicasHook(this, isChief, numTokens ?? -1);
  }
}

class SyncReplicasHook extends SessionRunHook {
  private readonly optimizer: SyncReplicasOptimizer;
  private readonly isChief: boolean;
  private readonly numTokens: number;
  private initTokens: Operation | undefined;

  constructor(optimizer: SyncReplicasOptimizer, isChief: boolean, numTokens: number) {
    super();
    this.optimizer = optimizer;
    this.isChief = isChief;
    this.numTokens = numTokens;
  }

  override begin(): void {
    if (!this.optimizer.localStepInitOp)
      throw new ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.");
    if (this.isChief) this.initTokens = this.optimizer.getInitTokensOp(this.numTokens);
  }

  override async afterCreateSession(session: Session, coord: Coordinator): Promise<void> {
    const { chiefInitOp, localStepInitOp, readyForLocalInitOp } = this.optimizer;
    const init = (this.isChief ? chiefInitOp : localStepInitOp) as Operation;
    const text = "Model is not ready for SyncReplicasOptimizer local init.";
    const lack = await lackOf(readyForLocalInitOp ?? null, session, text);
    if (lack !== null)
      throw new RuntimeError(
        `Init operations did not make model ready for SyncReplicasOptimizer local_init. Init op: ${init.name}, error: ${lack}`,
      );
    await session.run(init);
    if (!this.isChief) return;
    if (this.initTokens) await session.run(this.initTokens);
    this.optimizer.getChiefQueueRunner().createThreads(session, { coord, start: true });
  }
}
