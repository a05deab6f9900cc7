// Workers for the programs of all sessions of this JavaScript thread: started when the first program has something to share, bounded by
// the largest number of threads a session asked for, ended with the last session. How they share a run is recorded code (kernels/threads.ts);
// here is who holds which program, and how they are sent from one to another.

import { availableThreads, canShareMemory, startThread } from "#platform";
import { InvalidArgumentError } from "../../base/errors.ts";
import { controlBytes, controlGlobal, controlWords, leaveTicket, mayWaitGlobal } from "../../kernels/threads.ts";
import type { Thread } from "../../platform/thread.ts";
import { insideWord, mailWord, poolBytes, poolWords, type ThreadMessage } from "../../platform/thread-loop.ts";
import { importNamespaces } from "./printer.ts";

const mostThreads = 256;
/** How long the caller waits for workers to leave what it wants to change, or to finish what they have begun. */
const patienceMs = 10_000;

/** The number of threads a session works with. 0 or nothing: all cores.
 *  @throws InvalidArgumentError for what is no number of threads. */
export function threadsWanted(configured: number | undefined): number {
  const wanted = configured ?? 0;
  if (!Number.isInteger(wanted) || wanted < 0)
    throw new InvalidArgumentError(`intraOpParallelismThreads must be a whole number that is not negative, but is ${wanted}.`);
  if (wanted === 1 || !canShareMemory()) return 1;
  return Math.min(wanted === 0 ? availableThreads() : wanted, mostThreads);
}

/** May this thread sleep? The main thread of a browser may not. */
function findMayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** What workers need to run a module as the caller does. */
export interface SharedProgram {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly globals: Readonly<Record<string, number>>;
  readonly functions: readonly string[];
  readonly threads: number;
  /** Where its control words are. */
  readonly controlAt: number;
}

/** A program that workers hold. Control words are its own as long as it is not retired. */
export class HeldProgram {
  readonly id: number;
  readonly words: Int32Array;

  constructor(id: number, { memory, controlAt }: SharedProgram) {
    this.id = id;
    this.words = new Int32Array(memory.buffer, controlAt, controlBytes / 4);
  }

  /** Chunks that workers have done of it. */
  get chunksOfWorkers(): number {
    return Atomics.load(this.words, controlWords.helped / 4);
  }

  /** What became of a worker, if anything did (`failures`). Asks once: the next run begins anew. */
  takeFailure(): number {
    return this.words[controlWords.failed / 4] === 0 ? 0 : Atomics.exchange(this.words, controlWords.failed / 4, 0);
  }

  /** Sends workers away from it. */
  leave(): void {
    Atomics.store(this.words, controlWords.ticket / 4, leaveTicket);
    Atomics.notify(this.words, controlWords.ticket / 4);
  }

  enter(): void {
    Atomics.store(this.words, controlWords.ticket / 4, 0);
  }

  /** A run begins: workers that sleep are woken at once, so that they are there when the first phase is shared. */
  begin(): void {
    Atomics.store(this.words, controlWords.running / 4, 1);
    if (Atomics.load(this.words, controlWords.sleepers / 4) > 0) Atomics.notify(this.words, controlWords.ticket / 4);
  }

  end(): void {
    Atomics.store(this.words, controlWords.running / 4, 0);
  }

  /** After the caller itself was thrown out of a run: takes what is left off the table and waits for chunks that workers have begun.
   *  False if they did not end. */
  settle(): boolean {
    const left = Atomics.exchange(this.words, controlWords.ticket / 4, 0);
    if (left === leaveTicket) return true;
    const taken = this.words[controlWords.chunks / 4] - (left & 0xffff);
    // The chunk the caller was thrown out of is never done.
    return waitUntil(() => Atomics.load(this.words, controlWords.done / 4) >= taken - 1);
  }
}

/** Looks until something holds, for as long as is reasonable; false if it never did. */
function waitUntil(holds: () => boolean): boolean {
  const began = performance.now();
  while (!holds()) if (performance.now() - began > patienceMs) return false;
  return true;
}

export class ThreadPool {
  readonly mayWait = findMayWait();
  #control = new SharedArrayBuffer(poolBytes(mostThreads));
  #words = new Int32Array(this.#control);
  /** By thread number; the caller is 0. */
  readonly #threads: (Thread | undefined)[] = [];
  readonly #installed = new Map<number, ThreadMessage>();
  readonly #dropped = new FinalizationRegistry<number>(id => this.#forget(id));
  #current: HeldProgram | undefined;
  #nextId = 1;
  #users = 0;

  open(): void {
    this.#users++;
  }

  /** Ends the workers with the last user. A pool that has ended is not used again: its workers may take a moment to go. */
  close(): void {
    if (--this.#users > 0) return;
    if (pool === this) pool = undefined;
    this.#sendHome();
    for (const thread of this.#threads) thread?.end();
    this.#threads.length = 0;
    this.#installed.clear();
  }

  /** Starts workers that are not there yet: a program that they will share may still be compiled meanwhile, which takes about as long. */
  prepare(threads: number): void {
    for (let number = 1; number < threads; number++) if (!this.#threads[number]) this.#start(number);
  }

  /** Gives workers a program, and starts them where they are not there yet. They come when they come. */
  hold(program: SharedProgram): HeldProgram {
    const held = new HeldProgram(this.#nextId++, program);
    const { module, memory, globals, functions, threads, controlAt } = program;
    const message: ThreadMessage = {
      kind: "install",
      id: held.id,
      module,
      memory,
      imports: { [importNamespaces.globals]: { ...globals, [controlGlobal]: controlAt, [mayWaitGlobal]: 1 } },
      memoryImport: [importNamespaces.memory, "memory"],
      functionImports: [importNamespaces.functions, functions],
      threads,
      control: { at: controlAt, done: controlWords.done, failed: controlWords.failed },
    };
    this.#installed.set(held.id, message);
    this.#sendHome();
    for (let number = 1; number < threads; number++) {
      const known = this.#threads[number];
      if (known) this.#post(number, known, message);
      else this.#start(number);
    }
    this.#turnTo(0);
    this.#dropped.register(held, held.id, held);
    return held;
  }

  /** Sends workers to the program that runs next. */
  join(program: HeldProgram): void {
    const previous = this.#current;
    if (previous === program) return;
    program.enter();
    this.#turnTo(program.id);
    previous?.leave();
    this.#current = program;
  }

  /** Takes a program from the workers. True if none of them can touch its memory again. */
  retire(program: HeldProgram): boolean {
    this.#dropped.unregister(program);
    this.#sendHome();
    program.leave();
    const isLeft = waitUntil(() => !this.#threads.some((_, number) => Atomics.load(this.#words, insideWord(number)) === program.id));
    this.#forget(program.id);
    return isLeft;
  }

  /** Ends all workers, one of which does not answer, and starts others. Those that are slow to end look at words that nobody writes any more. */
  restart(): void {
    this.#sendHome();
    const numbers = [...this.#threads.keys()].filter(number => this.#threads[number] !== undefined);
    for (const thread of this.#threads) thread?.end();
    this.#threads.length = 0;
    this.#control = new SharedArrayBuffer(poolBytes(mostThreads));
    this.#words = new Int32Array(this.#control);
    for (const number of numbers) this.#start(number);
  }

  /** Workers there are. */
  get workers(): number {
    return this.#threads.filter(thread => thread !== undefined).length;
  }

  /** Workers that are in a program now. */
  inside({ id }: HeldProgram): number {
    return this.#threads.filter((_, number) => Atomics.load(this.#words, insideWord(number)) === id).length;
  }

  /** What the last worker that trapped said. */
  failureText(): string {
    const bytes = Atomics.load(this.#words, poolWords.textBytes);
    return new TextDecoder().decode(new Uint8Array(this.#control, 4 * poolWords.text, bytes).slice());
  }

  /** For tests: ends a worker as if it had crashed. */
  end(number: number): void {
    this.#threads[number]?.end();
  }

  #start(number: number): void {
    const ended = (): void => {
      if (this.#threads[number] !== thread) return;
      this.#threads[number] = undefined;
      Atomics.store(this.#words, insideWord(number), 0);
    };
    let thread: Thread | undefined;
    try {
      thread = startThread({ kind: "start", control: this.#control, thread: number }, ended);
    } catch {
      // A page's security policy may forbid workers: the caller then does all by itself, with the same results.
      return;
    }
    Atomics.store(this.#words, mailWord(number), 0);
    this.#threads[number] = thread;
    for (const message of this.#installed.values()) this.#post(number, thread, message);
  }

  #post(number: number, thread: Thread, message: ThreadMessage): void {
    Atomics.add(this.#words, mailWord(number), 1);
    thread.post(message);
  }

  #forget(id: number): void {
    if (!this.#installed.delete(id)) return;
    this.#sendHome();
    this.#threads.forEach((thread, number) => {
      if (thread) this.#post(number, thread, { kind: "forget", id });
    });
    this.#turnTo(0);
  }

  /** Sends workers back to where they find their mail. */
  #sendHome(): void {
    const previous = this.#current;
    this.#current = undefined;
    this.#turnTo(0);
    previous?.leave();
  }

  #turnTo(id: number): void {
    Atomics.store(this.#words, poolWords.program, id);
    Atomics.add(this.#words, poolWords.turn, 1);
    Atomics.notify(this.#words, poolWords.turn);
  }
}

let pool: ThreadPool | undefined;

/** The workers of this JavaScript thread, as long as a session needs them. */
export function threadPool(): ThreadPool {
  pool ??= new ThreadPool();
  return pool;
}
