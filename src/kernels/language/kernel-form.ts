// Kernels that are the same but for where their values lie: an unrolled loop has dozens of each. Their form says when: equal forms have
// equal code once addresses are left out, so one function serves them all. Where a map begins to read in an array (step t of a series)
// counts as part of the address.

import { dtypeBytes } from "../../base/dtype.ts";
import { addIndex, constantIndex, type Index } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import { type Scalar, substitution } from "../../ir/scalar.ts";
import { axesOf, forEachLoad, type Load } from "../../schedule/access.ts";
import type { Kernel, Store } from "../../schedule/plan.ts";

type CommonKernel = Extract<Kernel, { kind: "map" | "sweep" | "reduce" | "reductions" | "rows" | "contract" }>;

/** A kernel without its addresses: a text, and the values it names, in the order in which the text first does. */
export interface KernelForm {
  readonly text: string;
  readonly values: readonly Value[];
  /** Of values that are read from a place on: how many elements lie before it. */
  readonly starts: ReadonlyMap<Value, number>;
}

/** The form of a kernel; undefined for kinds of which a plan has few. */
export function formOf(kernel: Kernel): KernelForm | undefined {
  switch (kernel.kind) {
    case "map":
    case "sweep":
    case "reduce":
    case "reductions":
    case "rows":
    case "contract": {
      const starts = startsIn(kernel);
      const writer = new FormWriter(starts);
      writer.kernel(kernel);
      return { text: writer.parts.join(" "), values: [...writer.values.keys()], starts };
    }
    default:
      return undefined;
  }
}

const atTheBeginning: ReadonlyMap<Value, number> = new Map();

/** Of arrays in which all loads of a map or sweep begin at one place, that place, if it is not the first. */
function startsIn(kernel: CommonKernel): ReadonlyMap<Value, number> {
  if (kernel.kind !== "map" && kernel.kind !== "sweep") return atTheBeginning;
  const stores = kernel.kind === "map" ? kernel.stores : kernel.maps.flatMap(map => map.stores);
  const starts = new Map<Value, number>();
  for (const { body } of stores)
    forEachLoad(body, load => {
      const start = startOf(load);
      starts.set(load.source, (starts.get(load.source) ?? start) === start ? start : 0);
    });
  for (const { out } of stores) starts.delete(out);
  for (const [value, start] of starts) if (start === 0) starts.delete(value);
  return starts;
}

/** The row-major position of the first element that a load can read, as far as constants say; 0 if it may read outside its source. */
function startOf({ at, source }: Load): number {
  let start = 0;
  let stride = 1;
  for (let axis = at.length - 1; axis >= 0; axis--) {
    if (at[axis].min < 0 || at[axis].max < at[axis].min) return 0;
    start += startOfIndex(at[axis]) * stride;
    stride *= source.shape[axis];
  }
  return start;
}

/** What an index that is never negative can do without, neither its offset nor its values becoming negative. */
const startOfIndex = ({ offset, min }: Index): number => Math.max(0, Math.min(offset, min));

/** The kernel as it is recorded for all of a form: its values, by number, are read from their first element on. */
export function withoutStarts(kernel: Kernel, { values, starts }: KernelForm): { kernel: Kernel; values: readonly Value[] } {
  if (starts.size === 0) return { kernel, values };
  const others = new Map([...starts.keys()].map(value => [value, { ...value }]));
  const inMap = (map: Extract<Kernel, { kind: "map" }>): Extract<Kernel, { kind: "map" }> => {
    const moved = substitution(axesOf(map.shape), load => {
      const source = others.get(load.source);
      return source ? { ...load, source, at: load.at.map(index => addIndex(index, constantIndex(-startOfIndex(index)))) } : load;
    });
    return { ...map, stores: map.stores.map(({ out, body }) => ({ out, body: moved(body) })) };
  };
  return {
    kernel: kernel.kind === "map" ? inMap(kernel) : kernel.kind === "sweep" ? { ...kernel, maps: kernel.maps.map(inMap) } : kernel,
    values: values.map(value => others.get(value) ?? value),
  };
}

/** The bytes that lie before the place where a value is read. */
export const startBytes = (value: Value, { starts }: KernelForm): number => (starts.get(value) ?? 0) * dtypeBytes(value.dtype);

/** Says to the type checker that a kernel has no other field: one that is left out of the text may not decide what is recorded. */
type NothingElse = Record<string, never>;

class FormWriter {
  readonly parts: (string | number)[] = [];
  readonly values = new Map<Value, number>();
  readonly #scalars = new Map<Scalar, number>();
  readonly #starts: ReadonlyMap<Value, number>;

  constructor(starts: ReadonlyMap<Value, number>) {
    this.#starts = starts;
  }

  kernel(kernel: CommonKernel): void {
    switch (kernel.kind) {
      case "map": {
        const { kind, shape, stores, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind, shape.join());
        return this.#stores(stores);
      }
      case "sweep": {
        const { kind, maps, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind);
        for (const map of maps) this.kernel(map);
        return;
      }
      case "reduce": {
        const { kind, shape, over, combine, body, accumulator, stores, scratch, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind, shape.join(), over.join(), combine, accumulator, scratch?.bytes ?? "none");
        this.#scalar(body);
        return this.#stores(stores);
      }
      case "reductions": {
        const { kind, reductions, scratch, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind, scratch?.bytes ?? "none");
        for (const reduction of reductions) this.kernel(reduction);
        return;
      }
      case "contract": {
        const { kind, shape, over, left, right, stores, panels, scratch, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind, shape.join(), over.join(), scratch?.bytes ?? "none");
        this.#operand(left);
        this.#operand(right);
        if (panels) this.#value(panels);
        return this.#stores(stores);
      }
      case "rows": {
        const { kind, rows, length, blockRows, passes, ...rest } = kernel;
        rest satisfies NothingElse;
        this.parts.push(kind, rows, length, blockRows);
        for (const { before, reductions, columns, stores, ...others } of passes) {
          others satisfies NothingElse;
          this.parts.push("pass");
          this.#stores(before);
          for (const { combine, body, stores: epilogue } of reductions) {
            this.parts.push(combine);
            this.#scalar(body);
            this.#stores(epilogue);
          }
          for (const { combine, body, out } of columns) {
            this.parts.push("column", combine);
            this.#value(out);
            this.#scalar(body);
          }
          this.#stores(stores);
        }
      }
    }
  }

  #stores(stores: readonly Store[]): void {
    this.parts.push("stores", stores.length);
    for (const { out, body } of stores) {
      this.#value(out);
      this.#scalar(body);
    }
  }

  #operand({ source, at }: Operand): void {
    this.#value(source);
    for (const index of at) this.#index(index);
  }

  #value(value: Value): void {
    const known = this.values.get(value);
    if (known !== undefined) return void this.parts.push(`v${known}`);
    this.values.set(value, this.values.size);
    this.parts.push(`${value.dtype}[${value.shape.join()}]`, value.splat === undefined ? "" : literal(value.splat));
  }

  /** What two readers share is written once: sharing decides what is computed once. */
  #scalar(node: Scalar): void {
    const { parts } = this;
    const known = this.#scalars.get(node);
    if (known !== undefined) return void parts.push(`@${known}`);
    this.#scalars.set(node, this.#scalars.size);
    parts.push(node.kind, node.dtype);
    switch (node.kind) {
      case "constant":
        parts.push(literal(node.value));
        return;
      case "index":
        return this.#index(node.index);
      case "load":
        this.#value(node.source);
        for (const index of node.at) this.#index(index, this.#starts.has(node.source) ? startOfIndex(index) : 0);
        return;
      case "apply":
        parts.push(node.fn);
        for (const arg of node.args) this.#scalar(arg);
        return;
      case "cast":
      case "bitcast":
        return this.#scalar(node.arg);
      case "guard":
        for (const { index, low, high } of node.when) {
          parts.push(low, high);
          this.#index(index);
        }
        this.#scalar(node.value);
        return this.#scalar(node.otherwise);
      case "accumulator":
    }
  }

  /** Terms in their order, in which code adds them. */
  #index({ terms, offset }: Index, start = 0): void {
    const { parts } = this;
    for (const { atom, scale } of terms) {
      parts.push(scale, atom.kind);
      switch (atom.kind) {
        case "axis":
          parts.push(atom.axis, atom.size);
          break;
        case "div":
        case "mod":
          parts.push(atom.by);
          this.#index(atom.of);
          break;
        case "data":
          parts.push(atom.size);
          this.#scalar(atom.value);
      }
    }
    parts.push("+", offset - start);
  }
}

const literal = (value: number | bigint): string => (Object.is(value, -0) ? "-0" : String(value));
