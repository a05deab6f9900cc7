// What lowering is asked, and how it says that a value is missing.

import type { DType } from "../base/dtype.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { HostObject } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { StructuredLoop, StructuredNode } from "../graph/structured.ts";
import type { Program, State } from "../ir/program.ts";

/** A node to lower: an operation, or structured control flow raised from several. */
export type LoweringNode = Operation | StructuredNode;

export interface LowerRequest {
  /** In order: inputs before readers. */
  readonly nodes: readonly LoweringNode[];
  readonly fetches: readonly Tensor[];
  /** Fed tensors with their concrete shapes; `known` ones are compiled in. Of those not known, feed k of the Program is named String(k). */
  readonly feeds: readonly {
    readonly tensor: Tensor;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly known?: NDArray | undefined;
  }[];
  resolve(tensor: Tensor): Tensor;
  isFed(tensor: Tensor): boolean;
  /** Is it fed with what an earlier part of the same run computed? */
  isEarlier?(tensor: Tensor): boolean;
  /** The nodes that a node waits for; where it is absent the first value that is missing is the only one told of. */
  sourcesOf?(node: LoweringNode): readonly LoweringNode[];
  /** Is the operation computed on the host, between two segments? */
  isOnHost(op: Operation): boolean;
  /** An object of the session, made when first asked for. */
  resource(object: HostObject): object;
  /** The state with the shape it has in the session now. */
  currentState(state: State): State;
  /** Does a variable hold something in the session? Absent: it may. */
  isHeld?(state: State): boolean;
  /** Runs a closed program (constants only). */
  evaluate(program: Program): readonly NDArray[];
  /** An InvalidArgumentError of a node. */
  runtimeError(op: Operation, message: string): Error;
}

/** Thrown when a lowering needs a value that only running gives; the session then runs up to there first. */
export class NeedsValue extends Error {
  readonly tensor: Tensor;
  readonly op: Operation;
  constructor(tensor: Tensor, op: Operation, input: string) {
    super(`'${input}' of ${op.type} node '${op.name}' must be known to compile, but it is computed while running.`);
    this.tensor = tensor;
    this.op = op;
  }
}

/** Thrown when all is lowered that can be, for all that is missing at once: operations that wait neither for each other nor for what others miss. */
export class NeedsPart extends Error {
  readonly values: readonly NeedsValue[];
  /** Operations of the host that could run. */
  readonly hosts: readonly Operation[];
  constructor(values: readonly NeedsValue[], hosts: readonly Operation[]) {
    super([...values.map(({ message }) => message), ...hosts.map(({ name }) => `'${name}' is computed on the host.`)].join("\n"));
    this.values = values;
    this.hosts = hosts;
  }
}

/** Thrown when something needs the exact size of what an operation gave at a capacity; lowering then starts again. */
export class NeedsSize extends Error {
  readonly op: Operation;
  constructor(op: Operation) {
    super(`The size of what ${op.type} node '${op.name}' gives must be known.`);
    this.op = op;
  }
}

/** Thrown when how many iterations a loop has, and what each is like, is only known while running; the session then runs one after the other. */
export class NeedsIterating extends Error {
  readonly loop: StructuredLoop;
  constructor(loop: StructuredLoop, reason: Error | undefined) {
    super(
      `The loop '${loop.name}' cannot run here: its iterations differ, and how many there are is only known while running. ${reason?.message ?? ""}\n\nKeep shapes fixed from one iteration to the next, or let a counter end the loop.`,
    );
    this.loop = loop;
  }
}

/** Thrown when something that lives in one run (a TensorArray, a stack, a list) has to be kept on the host, since it outlives a part of the run. */
export class NeedsKeeping extends Error {
  constructor(kept: Tensor | Error) {
    super(kept instanceof Error ? kept.message : `'${kept.op.name}' (${kept.op.type}) is used in more than one part of a run.`);
  }
}

/** Thrown when it has become known what the elements of a list are like; lowering then starts again. */
export class NeedsElements extends Error {
  readonly op: Operation;
  readonly element: readonly number[];
  constructor(op: Operation, element: readonly number[]) {
    super(`The elements of '${op.name}' (${op.type}) have shape [${element}].`);
    this.op = op;
    this.element = element;
  }
}

/** Thrown when a branch or loop holds an operation of the host; the session then chooses the branch, or iterates, between segments. */
export class NeedsHost extends Error {
  readonly op: Operation;
  constructor(op: Operation) {
    super(`${op.type} node '${op.name}' is computed on the host between two parts of a run.`);
    this.op = op;
  }
}

/** Thrown when a loop has to be unrolled for what comes after it; lowering then starts again. */
export class NeedsUnrolled extends Error {
  readonly loop: StructuredLoop;
  constructor(loop: StructuredLoop) {
    super(`The loop '${loop.name}' must be unrolled.`);
    this.loop = loop;
  }
}
