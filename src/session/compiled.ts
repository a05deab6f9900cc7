// What compiling gives, to whoever runs it.

import type { NDArray } from "../base/ndarray.ts";
import type { Tensor } from "../graph/operation.ts";
import type { RunContext } from "./host.ts";

/** One fed tensor; `known` values are compiled in. */
export interface CompileFeed {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  readonly known?: NDArray | undefined;
}

/** What a signature compiles to. `run` takes the fed arrays in the order of the request, and may give its results in the list `into`. */
export interface Compiled {
  run(feeds: readonly NDArray[], context: RunContext, into?: NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly stages: Readonly<Record<string, () => string>>;
  readonly counts: Readonly<Record<string, number>>;
  /** The results that are the same in every run, as the sizes of the feeds are. */
  readonly constants?: readonly (NDArray | undefined)[];
  /** Gives back all its programs. */
  release(): void;
}
