// Runs that wait until an object of the session has what they want: first come, first served, each tried again whenever the object changes.

import { CancelledError } from "../../base/errors.ts";

/** Resolves after so many milliseconds. @throws CancelledError where the run is stopped before. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new CancelledError("The run was stopped while it waited."));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
  });

interface Waiter {
  /** True when it has been served. */
  readonly attempt: () => boolean;
}

export class WaitingLine {
  private readonly waiters: Waiter[] = [];

  /** What `take` gives once it gives something; if it throws, that. @throws CancelledError with `cancelled` where the run is stopped. */
  until<T>(take: () => T | undefined, signal: AbortSignal, cancelled: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener("abort", stop);
        const at = this.waiters.indexOf(waiter);
        if (at >= 0) this.waiters.splice(at, 1);
      };
      const stop = (): void => {
        leave();
        reject(new CancelledError(cancelled));
      };
      const attempt = (): boolean => {
        try {
          const taken = take();
          if (taken === undefined) return false;
          leave();
          resolve(taken);
        } catch (error) {
          leave();
          reject(error);
        }
        return true;
      };
      const waiter: Waiter = { attempt };
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      this.waiters.push(waiter);
      this.changed();
    });
  }

  /** Tries all that wait, in order, until none can be served. */
  changed(): void {
    while ([...this.waiters].some(({ attempt }) => attempt()));
  }
}
