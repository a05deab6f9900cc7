// Coordinator: tells loops that run beside each other (queue runners, a program's own) when to stop, and what stopped them. JavaScript has no threads
// here: a "thread" is a loop of awaited runs. TF: tf.train.Coordinator, tf.train.LooperThread.

import { OutOfRangeError, RuntimeError, ValueError } from "../../base/errors.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** A loop of awaited steps. */
export class Loop {
  readonly name: string;
  private readonly body: () => Promise<void>;
  private running: Promise<void> | undefined;
  private isDone = false;

  constructor(name: string, body: () => Promise<void>) {
    this.name = name;
    this.body = body;
  }

  start(): void {
    const done = (): void => {
      this.isDone = true;
    };
    this.running ??= this.body().then(done, done);
  }

  get isAlive(): boolean {
    return this.running !== undefined && !this.isDone;
  }

  /** Resolves when the loop has ended. */
  async join(): Promise<void> {
    await this.running;
  }
}

// `any`: constructor parameters do not matter to instanceof
type ErrorClass = new (...args: any[]) => Error;

interface CoordinatorOptions {
  /** Errors that mean "no more input" rather than a failure; OutOfRangeError unless given. */
  readonly cleanStopExceptionTypes?: readonly ErrorClass[] | null;
}

interface JoinOptions {
  readonly stopGracePeriodSecs?: number;
  readonly ignoreLiveThreads?: boolean;
}

/** Stops loops together: any of them may ask, all of them look. TF: tf.train.Coordinator. */
export class Coordinator {
  private readonly cleanTypes: readonly ErrorClass[];
  private stopped: { readonly promise: Promise<void>; readonly resolve: () => void } = latch();
  private isStopping = false;
  private error: Error | undefined;
  private isJoined = false;
  private registered = new Set<Loop>();

  constructor({ cleanStopExceptionTypes, ...others }: CoordinatorOptions = {}) {
    refuseOthers(others);
    this.cleanTypes = cleanStopExceptionTypes ?? [OutOfRangeError];
  }

  /** Asks all to stop; the first error that is not of a clean kind is thrown by `join`. @throws the error itself after join. */
  requestStop(ex?: unknown): void {
    const error = ex === undefined || ex === null || this.cleanTypes.some(type => ex instanceof type) ? undefined : asError(ex);
    if (this.isJoined && error) throw error;
    if (this.isStopping) return;
    this.error ??= error;
    this.isStopping = true;
    this.stopped.resolve();
  }

  /** Forgets that a stop was asked for. */
  clearStop(): void {
    this.isJoined = false;
    this.error = undefined;
    if (this.isStopping) this.stopped = latch();
    this.isStopping = false;
  }

  shouldStop(): boolean {
    return this.isStopping;
  }

  /** Runs `body`; an error asks all to stop instead of being thrown. */
  async stopOnException(body: () => unknown): Promise<void> {
    try {
      await body();
    } catch (error) {
      this.requestStop(error);
    }
  }

  /** Resolves when a stop is asked for (true), or after `timeout` seconds (false). */
  async waitForStop(timeout?: number | null): Promise<boolean> {
    return awake(this.stopsWithin(timeout));
  }

  /** As `waitForStop`, for loops: waiting keeps no program from ending. */
  async stopsWithin(timeout?: number | null): Promise<boolean> {
    await within(this.stopped.promise, timeout ?? Number.POSITIVE_INFINITY);
    return this.isStopping;
  }

  registerThread(thread: Loop | Promise<unknown>): void {
    this.registered.add(this.loopOf(thread));
  }

  /** What is under way already is a loop as well; an error it ends with asks all to stop. */
  private loopOf(thread: Loop | Promise<unknown>): Loop {
    if (!(thread instanceof Promise)) return thread;
    const loop = new Loop("Promise", () => this.stopOnException(() => thread));
    loop.start();
    return loop;
  }

  /** Waits until all loops (or promises of what `async` functions do beside each other) have ended, or a stop is asked for and the grace period is over. @throws what stopped them; RuntimeError for stragglers. */
  async join(
    threads?: readonly (Loop | Promise<unknown>)[] | null,
    { stopGracePeriodSecs = 120, ignoreLiveThreads = false }: JoinOptions = {},
  ): Promise<void> {
    const all = [...new Set([...this.registered, ...(threads ?? []).map(thread => this.loopOf(thread))])];
    const ended = Promise.all(all.map(thread => thread.join())).then(() => undefined);
    await awake(Promise.race([ended, this.stopped.promise]).then(() => within(ended, stopGracePeriodSecs)));
    const stragglers = all.filter(({ isAlive }) => isAlive).map(({ name }) => name);
    this.isJoined = true;
    this.registered = new Set();
    if (this.error) throw this.error;
    if (stragglers.length > 0 && !ignoreLiveThreads)
      throw new RuntimeError(`Coordinator stopped with threads still running: ${stragglers.join(" ")}`);
  }

  get joined(): boolean {
    return this.isJoined;
  }

  /** @throws the error that a stop was asked for with, if there was one. */
  raiseRequestedException(): void {
    if (this.error) throw this.error;
  }
}

function latch(): { promise: Promise<void>; resolve: () => void } {
  let open = (): void => {};
  const promise = new Promise<void>(resolve => {
    open = resolve;
  });
  return { promise, resolve: () => open() };
}

const asError = (ex: unknown): Error =>
  ex instanceof Error ? ex : new ValueError(`The Coordinator was told ${String(ex)}, which is no error.`);

/** The longest time a timer takes, in milliseconds. */
const longest = 2 ** 31 - 1;

/** Awaits a promise for so many seconds at most; that alone keeps no program from ending. */
async function within(promise: Promise<void>, seconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, Math.min(Math.max(1000 * seconds, 0), longest));
    (timer as { unref?: () => void }).unref?.();
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** Awaits a promise as a thread does that is not a daemon: until then the program goes on. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, longest);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

/** Calls `target` again and again, or now and every `timerIntervalSecs` seconds, until the coordinator says stop. Waiting for its next turn keeps no
 *  program from ending. TF: tf.train.LooperThread. */
export class LooperThread extends Loop {
  constructor(coord: Coordinator, timerIntervalSecs: number | null, { target }: { readonly target?: (() => unknown) | null } = {}) {
    super("LooperThread", () =>
      coord.stopOnException(async () => {
        // Turns are due at fixed times, the first one now, however long one takes.
        let due = performance.now() / 1000;
        while (!(await coord.stopsWithin(timerIntervalSecs === null ? 0 : due - performance.now() / 1000))) {
          due += timerIntervalSecs ?? 0;
          await target?.();
        }
      }),
    );
    coord.registerThread(this);
  }

  /** Makes one and starts it. */
  static loop(coord: Coordinator, timerIntervalSecs: number | null, target: () => unknown): LooperThread {
    const looper = new LooperThread(coord, timerIntervalSecs, { target });
    looper.start();
    return looper;
  }
}
