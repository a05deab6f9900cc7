// Operation and Tensor: the nodes of a graph and their outputs. Operators (`x.add(y)`) are attached in ops/operators.ts,
// running (`eval`, `run`) in session/, so this file knows neither ops nor sessions.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { camelOf } from "../base/names.ts";
import type { ShapeLike } from "../base/shape.ts";
import { TensorShape } from "../base/shape.ts";
import type { AttrValue } from "./attributes.ts";
import { formatNode } from "./format.ts";
import type { Graph } from "./graph.ts";
import type { Location } from "./location.ts";
import type { OpDefinition } from "./op-definition.ts";
import type { TensorOperators } from "./tensor-operators.ts";

/** One node of a graph. Made by ops, never by `new`. TF: tf.Operation. */
export class Operation {
  readonly graph: Graph;
  readonly name: string;
  readonly definition: OpDefinition;
  readonly attrs: Readonly<Record<string, AttrValue>>;
  readonly outputs: readonly Tensor[];
  readonly location: Location;
  device: string;
  /** `loc:@name` groups this operation must share a device with. */
  colocation: readonly string[];
  private inputTensors: Tensor[];
  private controls: Operation[];
  /** Creation number within the graph. */
  readonly id: number;
  /** The control-flow context (cond branch, loop body) this operation belongs to. */
  context: object | null;

  constructor(given: {
    graph: Graph;
    name: string;
    definition: OpDefinition;
    attrs: Readonly<Record<string, AttrValue>>;
    inputs: readonly Tensor[];
    controlInputs: readonly Operation[];
    outputs: readonly { dtype: DType; isRef: boolean; isHandle: boolean; shape: TensorShape }[];
    device: string;
    colocation: readonly string[];
    location: Location;
    id: number;
    context: object | null;
  }) {
    this.graph = given.graph;
    this.name = given.name;
    this.definition = given.definition;
    this.attrs = given.attrs;
    this.inputTensors = [...given.inputs];
    this.controls = [...given.controlInputs];
    this.device = given.device;
    this.colocation = given.colocation;
    this.location = given.location;
    this.id = given.id;
    this.context = given.context;
    this.outputs = given.outputs.map((output, index) => new Tensor(this, index, output.dtype, output.isRef, output.shape, output.isHandle));
  }

  /** The op's type, such as "MatMul". */
  get type(): string {
    return this.definition.type;
  }

  get inputs(): readonly Tensor[] {
    return this.inputTensors;
  }

  get controlInputs(): readonly Operation[] {
    return this.controls;
  }

  /** By TensorFlow's name or ours. @throws ValueError if the operation has no such attribute. TF: get_attr. */
  // `any`: an attribute's type is known to the caller by its name
  getAttr(name: string): any {
    const key = Object.hasOwn(this.attrs, name) ? name : camelOf(name);
    const value = Object.hasOwn(this.attrs, key)
      ? this.attrs[key]
      : name === "_class" && this.colocation.length > 0
        ? this.colocation
        : undefined;
    if (value === undefined) throw new ValueError(`Operation '${this.name}' has no attr named '${name}'.`);
    return value;
  }

  /** The groups this operation is colocated with; its own if none. */
  colocationGroups(): readonly string[] {
    return this.colocation.length > 0 ? this.colocation : [`loc:@${this.name}`];
  }

  values(): readonly Tensor[] {
    return this.outputs;
  }

  /** Closes a loop: the one place where an input changes after creation (NextIteration into Merge). */
  replaceInput(index: number, tensor: Tensor): void {
    this.inputTensors[index] = tensor;
  }

  addControlInput(op: Operation): void {
    if (!this.controls.includes(op)) this.controls.push(op);
  }

  /** Contexts drop control edges that would cross into a loop. */
  keepControlInputs(isKept: (op: Operation) => boolean): void {
    this.controls = this.controls.filter(isKept);
  }

  /** `{{node NAME}} = TYPE[attrs](inputs)`. */
  toString(): string {
    return formatNode(this);
  }
}

/** The methods that ops/operators.ts attaches: declared here, since graph/ cannot import ops. */
export interface Tensor extends TensorOperators {}

/** A symbolic value: output `valueIndex` of an operation. TF: tf.Tensor. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: as above
export class Tensor {
  readonly op: Operation;
  readonly valueIndex: number;
  readonly dtype: DType;
  /** A reference to a variable's memory (`float32_ref`), as ref variables and their assigns give. */
  readonly isRef: boolean;
  /** Stands for an object, not for a value: a resource, or the string that an older op gives for one. */
  readonly isHandle: boolean;
  private staticShape: TensorShape;

  constructor(op: Operation, valueIndex: number, dtype: DType, isRef: boolean, shape: TensorShape, isHandle = dtype === "resource") {
    this.op = op;
    this.valueIndex = valueIndex;
    this.dtype = dtype;
    this.isRef = isRef;
    this.isHandle = isHandle;
    this.staticShape = shape;
  }

  get name(): string {
    return `${this.op.name}:${this.valueIndex}`;
  }

  get graph(): Graph {
    return this.op.graph;
  }

  get device(): string {
    return this.op.device;
  }

  /** The static shape, `null` where unknown. */
  get shape(): TensorShape {
    return this.staticShape;
  }

  getShape(): TensorShape {
    return this.staticShape;
  }

  /** How many axes; -1 where that is unknown. TF: Tensor.ndim. */
  get ndim(): number {
    return this.staticShape.rank ?? -1;
  }

  /** Adds what the caller knows of the shape. @throws ValueError if it contradicts what is known. TF: set_shape. */
  setShape(shape: ShapeLike): void {
    const given = new TensorShape(shape);
    try {
      this.staticShape = this.staticShape.mergeWith(given);
    } catch (error) {
      // Here TensorFlow asks its shape functions.
      throw error instanceof ValueError ? new ValueError(error.reason) : error;
    }
  }

  /** The operations that read this tensor. */
  consumers(): Operation[] {
    return this.graph.getOperations().filter(op => op.inputs.includes(this));
  }

  /** `Tensor("Relu:0", shape=(?, 3), dtype=float32)`. */
  toString(): string {
    const shape = this.staticShape.dims === null ? "" : `, shape=${this.staticShape}`;
    const device = this.device === "" ? "" : `, device=${this.device}`;
    return `Tensor("${this.name}"${shape}, dtype=${this.dtypeName}${device})`;
  }

  /** `float32`, or `float32_ref`. */
  get dtypeName(): string {
    return this.isRef ? `${this.dtype}_ref` : this.dtype;
  }

  /** A tensor has no value until it is run: `x + 1` and `x < y` cannot be JavaScript's own. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new TypeError(
      `Using a \`tf.Tensor\` as a number is not allowed.\n\n${this} has no value until the graph runs: use session.run(tensor), or operators such as x.add(y), x.less(y); in a text, \`\${x}\`.`,
    );
  }
}
