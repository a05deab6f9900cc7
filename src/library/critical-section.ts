// Critical sections: what several functions do to the same variables happens one function after the other. TF: tf.CriticalSection
// (ops/critical_section_ops.py), with its nodes and their names.

import { ValueError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { collect } from "../ops/arguments.ts";
import { identity } from "../ops/array/array.ts";
import { ConsumeMutexLock, MutexLock, MutexV2 } from "../ops/flow/mutex.ts";
import { group, tuple } from "../ops/flow/control-flow.ts";
import { flatten, type Nested, packAs } from "../ops/flow/nested.ts";
import { initScope } from "./graph-inspection.ts";

interface CriticalSectionOptions {
  readonly name?: string | null;
  /** Sections of one name share their mutex. */
  readonly sharedName?: string | null;
  readonly criticalSectionDef?: unknown;
  readonly importScope?: string | null;
}

interface Execution {
  readonly section: CriticalSection;
  readonly resources: readonly Tensor[];
  readonly isExclusive: boolean;
}

const sectionsKey = "critical_sections";
const executionsKey = "critical_section_executions";

/** The sections whose functions are being called. */
const open: CriticalSection[] = [];

/** Functions that are executed one after the other, each as a whole: a value read in one is what it is until the function has ended.
 *  TF: tf.CriticalSection(name, shared_name). */
export class CriticalSection {
  private readonly handle: Tensor;
  private readonly sharedName: string;

  constructor(...given: readonly unknown[]) {
    const order = ["name", "sharedName", "criticalSectionDef", "importScope"];
    const { name, sharedName, criticalSectionDef } = collect<CriticalSectionOptions>(order, given);
    if (criticalSectionDef) throw new ValueError("Argument `critical_section_def` is not supported.");
    const graph = getDefaultGraph();
    [this.sharedName, this.handle] = graph.nameScope(name ?? "CriticalSection", scope => {
      const shared = sharedName ?? String(scope);
      return [shared, initScope(() => MutexV2({ sharedName: shared }, { name: String(scope) }))] as const;
    });
    graph.addToCollection(sectionsKey, this);
  }

  /** TF: CriticalSection.name. */
  get name(): string {
    return this.handle.op.name;
  }

  /** What `fn` gives, computed when nobody else is in the section. TF: execute(fn, exclusive_resource_access=True, name=None).
   *  @throws ValueError for a section within itself, or if another section uses the same resources and one of both wants them for itself. */
  execute<R extends Nested>(fn: () => R, ...rest: readonly unknown[]): R {
    const { exclusiveResourceAccess, name } = collect<{ exclusiveResourceAccess?: boolean; name?: string | null }>(
      ["exclusiveResourceAccess", "name"],
      rest,
    );
    const graph = getDefaultGraph();
    return graph.nameScope(name ?? "critical_section_execute", () => {
      if (open.some(section => section.sharedName === this.sharedName && section.handle.graph === graph))
        throw new ValueError(
          `Attempting to lock a CriticalSection (signature=('', '${this.sharedName}', None)) in which we are already running. This is illegal and may cause deadlocks.`,
        );
      const before = new Set(graph.getOperations());
      open.push(this);
      let lock: Tensor;
      let result: R;
      try {
        lock = MutexLock({ mutex: this.handle });
        result = graph.controlDependencies([lock.op], fn);
      } finally {
        open.pop();
      }
      const created = graph.getOperations().filter(op => !before.has(op) && op !== lock.op);
      this.waitForArguments(lock.op, new Set(created));
      const inputs = created.flatMap(op => op.inputs);
      this.claim([...new Set(inputs.filter(({ dtype }) => dtype === "resource"))], exclusiveResourceAccess ?? true);
      const flat = flatten(result).map(item => convertedOrOperation(item));
      const held = flat.map(item => (item instanceof Operation ? item : identity(item)));
      const after = held.map(item => (item instanceof Operation ? item : item.op));
      const [consumed, together] = graph.controlDependencies(after, () => {
        const released = graph.colocateWith(this.handle.op, undefined, () => ConsumeMutexLock({ mutexLock: lock }));
        return [released, tuple(flat) as readonly (Tensor | Operation)[]] as const;
      });
      const outputs = graph.controlDependencies([consumed], () =>
        together.map(item => (item instanceof Operation ? item : identity(item))),
      );
      return packAs(result, outputs) as R;
    });
  }

  /** What the function reads is computed before the lock is taken. */
  private waitForArguments(lock: Operation, created: ReadonlySet<Operation>): void {
    const before = new Set([...created].flatMap(op => [...op.inputs.map(input => input.op), ...op.controlInputs]));
    for (const op of [...created, lock, ...lock.controlInputs, ...lock.inputs.map(input => input.op)]) before.delete(op);
    if (before.size > 0) lock.addControlInput(group(...before));
  }

  private claim(resources: readonly Tensor[], isExclusive: boolean): void {
    const graph = getDefaultGraph();
    for (const other of graph.getCollection(executionsKey) as readonly Execution[]) {
      if (other.section.sharedName === this.sharedName || !(isExclusive || other.isExclusive)) continue;
      const both = resources.filter(resource => other.resources.includes(resource));
      if (both.length > 0)
        throw new ValueError(
          `This execution would access resources: [${both.join(", ")}]. Either this lock (CriticalSection: ${this.handle}) or lock '${other.section.name}' (CriticalSection: ${other.section.handle}) requested exclusive resource access of this resource. Did you mean to call execute with keyword argument exclusive_resource_access=False?`,
        );
    }
    graph.addToCollection(executionsKey, { section: this, resources, isExclusive });
  }
}

function convertedOrOperation(item: unknown): Tensor | Operation {
  if (item === null || item === undefined)
    throw new ValueError("A function of a critical section has to give tensors.", "Let it return tf.identity(x) of what it computes.");
  return item instanceof Operation ? item : convertToTensor(item as TensorLike);
}
