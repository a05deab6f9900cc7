// Scalar expressions as closures over a frame: compiled once per step, called once per element. A node that several others use is
// computed once per element; the side of a guard or select that is not taken is not computed at all.

import { isBigInteger } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { stridesOf } from "../../base/shape.ts";
import { type Atom, flattenIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { printScalar, sharedParts } from "../../ir/scalar.ts";
import type { Element } from "./elements.ts";
import { bitcastElement, castElement, elementOfConstant, elementReader } from "./elements.ts";
import { elementFunction } from "./functions.ts";

/** Where the closures look: the values of the axes now, and how many points were visited before this one. */
export interface Frame {
  readonly at: number[];
  visited: number;
}

export type Read = (value: Value) => NDArray;

/** Compiles expressions that share a frame. */
export class ScalarCompiler {
  readonly frame: Frame;
  private readonly read: Read;
  private readonly compiled = new Map<Scalar, () => Element>();
  private readonly shared = new Set<Scalar>();

  constructor(frame: Frame, read: Read) {
    this.frame = frame;
    this.read = read;
  }

  scalar(root: Scalar): () => Element {
    for (const part of sharedParts(root)) this.shared.add(part);
    return this.part(root);
  }

  index(index: Index): () => number {
    const { offset } = index;
    const terms = index.terms.map(({ atom, scale }) => ({ atom: this.atom(atom), scale }));
    if (terms.length === 0) return () => offset;
    if (terms.length === 1) {
      const [{ atom, scale }] = terms;
      return () => offset + scale * atom();
    }
    if (terms.length === 2) {
      const [{ atom: first, scale: by }, { atom: second, scale }] = terms;
      return () => offset + by * first() + scale * second();
    }
    return () => {
      let sum = offset;
      for (const { atom, scale } of terms) sum += scale * atom();
      return sum;
    };
  }

  private part(node: Scalar): () => Element {
    let result = this.compiled.get(node);
    if (!result) {
      result = this.compile(node);
      if (this.shared.has(node)) result = this.oncePerPoint(result);
      this.compiled.set(node, result);
    }
    return result;
  }

  private oncePerPoint(compute: () => Element): () => Element {
    const { frame } = this;
    let visit = -1;
    let known: Element;
    return () => {
      if (visit !== frame.visited) {
        known = compute();
        visit = frame.visited;
      }
      return known;
    };
  }

  private atom(atom: Atom): () => number {
    const { at } = this.frame;
    switch (atom.kind) {
      case "axis":
        return () => at[atom.axis];
      case "div": {
        const of = this.index(atom.of);
        return () => Math.floor(of() / atom.by);
      }
      case "mod": {
        const of = this.index(atom.of);
        return () => {
          const x = of();
          return x - atom.by * Math.floor(x / atom.by);
        };
      }
      case "data": {
        const value = this.part(atom.value);
        const last = Math.max(atom.size - 1, 0);
        return () => Math.min(Math.max(Number(value()), 0), last);
      }
    }
  }

  private compile(node: Scalar): () => Element {
    switch (node.kind) {
      case "constant": {
        const element = elementOfConstant(node.dtype, node.value);
        return () => element;
      }
      case "index": {
        const index = this.index(node.index);
        return isBigInteger(node.dtype) ? () => BigInt(index()) : () => index() | 0;
      }
      case "load":
        return this.load(node);
      case "apply":
        return this.apply(node);
      case "cast": {
        const arg = this.part(node.arg);
        const cast = castElement(node.arg.dtype, node.dtype);
        return () => cast(arg());
      }
      case "bitcast": {
        const arg = this.part(node.arg);
        const bitcast = bitcastElement(node.arg.dtype, node.dtype);
        return () => bitcast(arg());
      }
      case "guard": {
        const bounds = node.when.map(({ index, low, high }) => ({ index: this.index(index), low, high }));
        const value = this.part(node.value);
        const otherwise = this.part(node.otherwise);
        return () => {
          const isInside = bounds.every(({ index, low, high }) => {
            const i = index();
            return low <= i && i < high;
          });
          return isInside ? value() : otherwise();
        };
      }
      case "accumulator":
        throw new InternalError("A program's scalar uses the accumulator, which only kernels have.");
    }
  }

  private load(node: Extract<Scalar, { kind: "load" }>): () => Element {
    const element = elementReader(this.read(node.source));
    const { shape } = node.source;
    if (node.at.every(({ min, max }, axis) => min >= 0 && max < shape[axis])) {
      const position = this.index(flattenIndex(node.at, shape));
      return () => element(position());
    }
    const strides = stridesOf(shape);
    const at = node.at.map(index => this.index(index));
    return () => {
      let position = 0;
      for (let axis = 0; axis < at.length; axis++) {
        const i = at[axis]();
        if (i < 0 || i >= shape[axis])
          throw new InternalError(`${printScalar(node)} reads index ${i} of axis ${axis} of [${shape}] at [${this.frame.at}].`);
        position += i * strides[axis];
      }
      return element(position);
    };
  }

  private apply(node: Extract<Scalar, { kind: "apply" }>): () => Element {
    const [x, y, z] = node.args.map(arg => this.part(arg));
    if (node.fn === "select") return () => (x() ? y() : z());
    const f = elementFunction(node.fn, node.args[0].dtype);
    if (node.args.length === 1) return () => f(x());
    if (node.args.length === 2) return () => f(x(), y());
    return () => f(x(), y(), z());
  }
}
