// When a hook has its turn: every so many seconds or steps.

import { ValueError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";

/** A number, or what a run gave: a bigint of int64. */
type Step = number | bigint | NDArray;

/** Decides, step by step, whether it is time. */
export interface HookTimer {
  reset(): void;
  shouldTriggerForStep(step: Step): boolean;
  /** Notes that it was time. @returns seconds and steps since the last time, null at the first. */
  updateLastTriggeredStep(step: Step): readonly [seconds: number | null, steps: number | null];
  lastTriggeredStep(): number | null;
}

const now = (): number => Date.now() / 1000;

/** Time at the first step, then every so many seconds or every so many steps. TF: tf.train.SecondOrStepTimer.
 *  @throws ValueError unless exactly one of both is given. */
export class SecondOrStepTimer implements HookTimer {
  private readonly everySecs: number | null;
  private readonly everySteps: number | null;
  private lastStep: number | null = null;
  private lastTime: number | null = null;

  constructor({ everySecs = null, everySteps = null }: { readonly everySecs?: number | null; readonly everySteps?: number | null } = {}) {
    if (everySecs === null && everySteps === null) throw new ValueError("Either every_secs or every_steps should be provided.");
    if (everySecs !== null && everySteps !== null) throw new ValueError("Can not provide both every_secs and every_steps.");
    this.everySecs = everySecs;
    this.everySteps = everySteps;
  }

  reset(): void {
    this.lastStep = null;
    this.lastTime = null;
  }

  shouldTriggerForStep(step: Step): boolean {
    const reached = Number(step);
    if (this.lastStep === null || this.lastTime === null) return true;
    if (this.lastStep === reached) return false;
    if (this.everySecs !== null && now() >= this.lastTime + this.everySecs) return true;
    return this.everySteps !== null && reached >= this.lastStep + this.everySteps;
  }

  updateLastTriggeredStep(step: Step): readonly [number | null, number | null] {
    const time = now();
    const reached = Number(step);
    const passed = [this.lastTime === null ? null : time - this.lastTime, this.lastStep === null ? null : reached - this.lastStep] as const;
    this.lastTime = time;
    this.lastStep = reached;
    return passed;
  }

  lastTriggeredStep(): number | null {
    return this.lastStep;
  }
}

/** Never time. */
export const neverTimer: HookTimer = {
  reset: () => {},
  shouldTriggerForStep: () => false,
  updateLastTriggeredStep: () => [null, null],
  lastTriggeredStep: () => null,
};
