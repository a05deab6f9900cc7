// What is remembered of a run, so that the next one like it asks nobody: no plan of fetches, no signature, no list of feeds, no check twice.
// A repetition leaves nothing behind but its results, so no function on its way holds another that reads its variables, and no loop has an iterator.

import type { DType } from "../base/dtype.ts";
import { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import type { Tensor } from "../graph/operation.ts";
import type { Compiled } from "./compiled.ts";
import { type Feed, type Feeds, type FeedValue, feedValue } from "./feeds.ts";
import type { FetchPlan } from "./fetches.ts";
import type { RunContext } from "./host.ts";

interface Fed {
  readonly tensor: Tensor;
  readonly dtype: DType;
  /** What was known of the shape when the value was checked against it. */
  readonly staticShape: TensorShape;
  readonly shape: readonly number[];
}

/** One run that was done. The lists that its repetitions take and fill are its own and used again. */
export class Repeatable {
  readonly program: Compiled;
  private readonly plan: FetchPlan;
  private readonly fed: readonly Fed[];
  private readonly shapeChanges: number;
  private readonly restrictions: number;
  private readonly given: (NDArray | null)[];
  private readonly results: (NDArray | null)[];
  private isUnderWay = false;

  /** A program fits as long as variables hold no other shapes (`shapeChanges` of the device) and the graph allows to feed and fetch what it did. */
  constructor(plan: FetchPlan, program: Compiled, feeds: readonly Feed[], shapeChanges: number, restrictions: number) {
    this.plan = plan;
    this.program = program;
    this.shapeChanges = shapeChanges;
    this.restrictions = restrictions;
    this.fed = feeds.map(({ tensor, value }) => ({ tensor, dtype: tensor.dtype, staticShape: tensor.shape, shape: [...value.shape] }));
    this.given = feeds.map(() => null);
    this.results = plan.tensors.map(() => null);
  }

  fits(shapeChanges: number, restrictions: number): boolean {
    return !this.isUnderWay && this.shapeChanges === shapeChanges && this.restrictions === restrictions;
  }

  isOf(fetches: unknown): boolean {
    return this.plan.isOf(fetches);
  }

  /** Takes the values of feeds whose keys are the tensors of the last time, in their order or in a Map; false if they are not, or a shape differs.
   *  @throws as `feedValue`. */
  takesFeeds(feeds: Feeds | null | undefined): boolean {
    const { fed } = this;
    if (feeds === null || feeds === undefined) return fed.length === 0;
    if (Array.isArray(feeds)) {
      if (feeds.length !== fed.length) return false;
      for (let i = 0; i < fed.length; i++) {
        const pair: unknown = feeds[i];
        if (!Array.isArray(pair) || pair.length !== 2 || pair[0] !== fed[i].tensor || !this.takes(i, pair[1])) return false;
      }
      return true;
    }
    if (!(feeds instanceof Map) || feeds.size !== fed.length) return false;
    for (let i = 0; i < fed.length; i++) if (!feeds.has(fed[i].tensor) || !this.takes(i, feeds.get(fed[i].tensor))) return false;
    return true;
  }

  /** How many values are fed. */
  get feeds(): number {
    return this.fed.length;
  }

  /** Takes a value for the tensor of a number; false if its shape differs from the last one's. @throws as `feedValue`. */
  takes(i: number, value: FeedValue): boolean {
    const { tensor, dtype, staticShape, shape } = this.fed[i];
    const array = value instanceof NDArray && value.dtype === dtype ? value : feedValue(tensor, value as NDArray);
    if (tensor.shape !== staticShape || !isSameShape(array.shape, shape)) return false;
    this.given[i] = array;
    return true;
  }

  /** Runs with the values taken last. A promise: the run goes on with these lists, so this fits nothing any more. */
  run(context: RunContext): unknown {
    const { plan, program, given, results } = this;
    const values = program.run(given as readonly NDArray[], context, results as NDArray[]);
    if (values instanceof Promise) return this.later(values);
    const assembled = plan.assemble(values);
    this.forget();
    return assembled;
  }

  private later(values: Promise<readonly NDArray[]>): Promise<unknown> {
    this.isUnderWay = true;
    return values.then(arrays => this.plan.assemble(arrays));
  }

  /** What was fed and fetched lives as long as its owners want, not until the next run. */
  forget(): void {
    const { given, results } = this;
    for (let i = 0; i < given.length; i++) given[i] = null;
    for (let i = 0; i < results.length; i++) results[i] = null;
  }
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
