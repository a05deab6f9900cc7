// What a Plan costs in memory and kernels, computed from the Plan alone: the least any packing of its arrays could need, and counts that
// tests and benchmarks hold against it.

import type { Value } from "../ir/program.ts";
import { type Lifetime, largestLiveSum } from "./arena.ts";
import { readsOfKernel, writesOfKernel } from "./draft.ts";
import type { Kernel, Place, Plan } from "./plan.ts";

/** Kernels in all (those inside branches and loops too), those that only copy, and bytes of the arena and the constants. */
export interface PlanCounts {
  readonly kernels: number;
  readonly copies: number;
  readonly arenaBytes: number;
  readonly constantBytes: number;
}

const regionsOf = (kernel: Kernel): readonly (readonly Kernel[])[] =>
  kernel.kind === "branch" ? kernel.cases : kernel.kind === "loop" ? [kernel.condition, kernel.body] : [];

/** Counts over a Plan. A branch or a loop counts as its contents. */
export function planCounts(plan: Plan): PlanCounts {
  const count = (kernels: readonly Kernel[], isCounted: (kernel: Kernel) => boolean): number =>
    kernels.reduce((sum, kernel) => {
      const regions = regionsOf(kernel);
      return (
        sum + (regions.length === 0 ? Number(isCounted(kernel)) : regions.reduce((inner, region) => inner + count(region, isCounted), 0))
      );
    }, 0);
  return {
    kernels: count(plan.kernels, () => true),
    copies: count(plan.kernels, kernel => kernel.kind === "copy"),
    arenaBytes: plan.arenaBytes,
    constantBytes: plan.constantBytes,
  };
}

/** The largest sum of bytes alive at once in the arena, each array rounded up to `alignment`: no arena can be smaller. */
export function planBound(plan: Plan, alignment = 64): number {
  const walk = new PlanWalk(plan);
  for (const { value } of [...plan.feeds, ...plan.flags]) walk.touch(plan.places.get(value), -1);
  walk.kernels(plan.kernels, []);
  for (const result of plan.results) walk.touch(plan.places.get(result), walk.position);
  return largestLiveSum([...walk.lives.values(), ...walk.scratch], alignment);
}

/** First and last touch of every place; inside a loop, what was there before it lives until its end. */
class PlanWalk {
  readonly lives = new Map<Place, { bytes: number; start: number; end: number; depth: number }>();
  readonly scratch: Lifetime[] = [];
  position = 0;
  private readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  touch(place: Place | undefined, position: number, loops: readonly { touched: Set<Place> }[] = []): void {
    if (place?.region !== "arena" || place.bytes === 0) return;
    const live = this.lives.get(place);
    if (live === undefined) {
      this.lives.set(place, { bytes: place.bytes, start: position, end: position, depth: loops.length });
      return;
    }
    live.end = Math.max(live.end, position);
    loops[live.depth]?.touched.add(place);
  }

  kernels(kernels: readonly Kernel[], loops: readonly { touched: Set<Place> }[]): void {
    for (const kernel of kernels) {
      const position = this.position++;
      const touch = (value: Value): void => this.touch(this.plan.places.get(value), position, loops);
      for (const value of readsOfKernel(kernel)) touch(value);
      if (kernel.kind === "copy") this.touch(kernel.to, position, loops);
      else if (kernel.kind === "branch") for (const region of kernel.cases) this.kernels(region, loops);
      else if (kernel.kind === "loop") this.loop(kernel, loops);
      else for (const value of writesOfKernel(kernel)) touch(value);
      if ("scratch" in kernel && kernel.scratch !== undefined)
        this.scratch.push({ bytes: kernel.scratch.bytes, start: position, end: position });
    }
  }

  private loop(kernel: Extract<Kernel, { kind: "loop" }>, loops: readonly { touched: Set<Place> }[]): void {
    const inner = { touched: new Set<Place>() };
    this.kernels(kernel.condition, [...loops, inner]);
    this.touch(this.plan.places.get(kernel.test), this.position++, [...loops, inner]);
    this.kernels(kernel.body, [...loops, inner]);
    const end = this.position++;
    for (const place of inner.touched) {
      const live = this.lives.get(place);
      if (live !== undefined) live.end = Math.max(live.end, end);
    }
  }
}
