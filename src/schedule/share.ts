// Common subexpressions: equal nodes become one object, so that costs count them once and a kernel evaluates them once.
// Loads are equal when they read the same position of the same bytes, under whatever shape.

import type { Index } from "../ir/index-map.ts";
import { indexKey, readsData, substituteIndex } from "../ir/index-map.ts";
import type { Scalar } from "../ir/scalar.ts";
import { axesOf, positionOf } from "./access.ts";
import type { Aliases } from "./sources.ts";

/** A table of the distinct nodes seen so far, for expressions over one iteration. */
export class SharedScalars {
  private readonly axes: readonly Index[];
  private readonly aliases: Aliases;
  private readonly byKey = new Map<string, Scalar>();
  private readonly numbers = new Map<Scalar, number>();
  private readonly done = new Map<Scalar, Scalar>();

  constructor(iteration: readonly number[], aliases: Aliases) {
    this.axes = axesOf(iteration);
    this.aliases = aliases;
  }

  /** The expression with every node that equals a known one replaced by it. */
  share(node: Scalar): Scalar {
    let result = this.done.get(node);
    if (result === undefined) {
      const rebuilt = this.withSharedArguments(node);
      const key = this.keyOf(rebuilt);
      result = this.byKey.get(key);
      if (result === undefined) {
        result = rebuilt;
        this.byKey.set(key, result);
        this.numbers.set(result, this.numbers.size);
      }
      this.done.set(node, result);
    }
    return result;
  }

  private index(index: Index): Index {
    return readsData(index) ? substituteIndex(index, this.axes, value => this.share(value)) : index;
  }

  private withSharedArguments(node: Scalar): Scalar {
    switch (node.kind) {
      case "constant":
      case "accumulator":
        return node;
      case "index": {
        const index = this.index(node.index);
        return index === node.index ? node : { ...node, index };
      }
      case "load": {
        const at = node.at.map(index => this.index(index));
        return at.every((index, k) => index === node.at[k]) ? node : { ...node, at };
      }
      case "apply": {
        const args = node.args.map(arg => this.share(arg));
        return args.every((arg, k) => arg === node.args[k]) ? node : { ...node, args };
      }
      case "cast":
      case "bitcast": {
        const arg = this.share(node.arg);
        return arg === node.arg ? node : { ...node, arg };
      }
      case "guard": {
        const when = node.when.map(bound => ({ ...bound, index: this.index(bound.index) }));
        return { ...node, when, value: this.share(node.value), otherwise: this.share(node.otherwise) };
      }
    }
  }

  private keyOf(node: Scalar): string {
    const number = (arg: Scalar): number => this.numbers.get(arg) as number;
    switch (node.kind) {
      case "constant":
        return `constant ${node.dtype} ${Object.is(node.value, -0) ? "-0" : node.value}`;
      case "accumulator":
        return "accumulator";
      case "index":
        return `index ${node.dtype} ${indexKey(node.index)}`;
      case "load":
        if (this.aliases.isAlone(node.source)) return `load ${node.source.id} ${node.at.map(indexKey).join(",")}`;
        return `load ${node.dtype} ${this.aliases.rootOf(node.source).id} ${indexKey(positionOf(node))}`;
      case "apply":
        return `${node.fn} ${node.args.map(number).join(" ")}`;
      case "cast":
      case "bitcast":
        return `${node.kind} ${node.dtype} ${number(node.arg)}`;
      case "guard": {
        const bounds = node.when.map(({ index, low, high }) => `${low} ${indexKey(index)} ${high}`);
        return `guard ${bounds.join(",")} ${number(node.value)} ${number(node.otherwise)}`;
      }
    }
  }
}
