// How threads share the phases of a run. The caller is thread 0: it runs everything, and what is worth sharing it puts on the table, in
// chunks that each thread takes one by one; then it waits until all chunks are done. Workers only look at that table: they spin a while,
// then sleep until it changes. A worker that is late, asleep or gone takes no chunk, so nobody ever waits for it.
// Chunks are cut by the plan and the number of threads alone, and units are independent (phase.ts): results are the same bits for any number.

import { plus, times } from "./arithmetic.ts";
import { type Expr, i32, type MemoryImport } from "./language/language.ts";
import type { Phase } from "./phase.ts";
import type { FunctionRecorder, FunctionRef, ModuleRecorder } from "./language/recorder.ts";

/** Imported numbers: where the control words are, and whether the caller may sleep (the main thread of a browser may not). */
export const controlGlobal = "control";
export const mayWaitGlobal = "mayWait";

/** Byte offsets of the control words, those of different writers on cache lines of their own. */
export const controlWords = {
  /** The phase on the table ×2¹⁶ + its chunks nobody has taken yet. One word, so that taking one is one exchange and never one of another phase. */
  ticket: 0,
  /** Chunks done of the phase on the table. */
  done: 64,
  /** Workers asleep on the ticket. */
  sleepers: 128,
  /** Whether the caller sleeps on `done`. */
  callerSleeps: 132,
  /** Chunks of the phase on the table, taken or not. */
  chunks: 136,
  /** Not zero: what became of a worker (`failures`). */
  failed: 192,
  /** Chunks that workers have done, ever. */
  helped: 196,
  /** Is a run under way? The caller's host says so; workers are more patient then. */
  running: 256,
} as const;
export const controlBytes = 320;

export const failures = { trapped: 1, late: 2 } as const;

/** The ticket that sends workers away. */
export const leaveTicket = -1;

/** A shared memory must say how large it may become: all that 32 bits address. */
export const sharedMemory: MemoryImport = { minPages: 1, maxPages: 65536, shared: true };

/** What is worth sharing, as schedule/cost.ts counts (about 30 units a nanosecond). Measured by `npm run bench -- barriers`, on two threads: a shared
 *  phase costs the caller 0.1 µs more than a call if no worker comes, and about 1 µs if one does: 2.7 µs become 1.8, 31 become 17. A worker that sleeps
 *  costs the caller some 6 µs to wake, and comes 35 µs later, or much more where others use the machine. docs/decisions.md, "Threads". */
export interface SharingRules {
  /** A phase with less is done by the caller alone. */
  readonly leastPhase: number;
  /** So is everything in a run whose phases of that size have less together: waking takes longer. */
  readonly leastRun: number;
  /** A chunk has at least so much. */
  readonly leastChunk: number;
  /** How long the caller waits for a chunk that a worker has begun, beside what the chunk may take at a three-hundredth of the usual speed.
   *  A worker that died in it, or was stopped for so long, will not be waited for. */
  readonly patienceMs: number;
}

export const usualRules: SharingRules = { leastPhase: 120_000, leastRun: 4_000_000, leastChunk: 60_000, patienceMs: 20_000 };

/** Whoever ends a phase first waits for about half a chunk of the other. */
const chunksPerThread = 16;
const chunkBits = 16;
const chunkMask = (1 << chunkBits) - 1;
/** Looks at the ticket before sleeping: some 50 µs. While a run is under way so many times as long, some 1 ms: what is not shared in between is
 *  rarely longer, and a worker that sleeps is late for the next phases. */
const looksBeforeSleep = 20_000;
const spellsInRun = 20;
/** How long the caller sleeps before it asks itself whether it has waited enough, and what stands for it where it may not sleep. */
const napMs = 100;
const looksOfNap = 40_000_000;
const slowestUnitsPerMs = 100_000;
const everyone = 0x7fffffff;

// Functions of the module, called before they are recorded: their bodies need to know all phases.
const shareFunction: FunctionRef = { name: "share", params: ["i32", "i32", "i32"], results: [] };
const takeFunction: FunctionRef = { name: "take", params: ["i32", "i32"], results: ["i32"] };
const chunkFunction: FunctionRef = { name: "chunk", params: ["i32", "i32", "i32"], results: [] };

/** Records which phases of a module are shared, and the functions that share them. */
export class Sharing {
  readonly #module: ModuleRecorder;
  readonly #rules: SharingRules;
  readonly #threads: number;
  readonly #shared: { readonly phase: Phase; readonly chunks: number }[] = [];

  constructor(module: ModuleRecorder, rules: SharingRules) {
    this.#module = module;
    this.#rules = rules;
    this.#threads = module.target.threads;
  }

  /** Should threads share a phase? Units that call the host are the caller's: only it has the host's functions. */
  isWorthIt(phase: Phase): boolean {
    return this.#threads > 1 && phase.units > 1 && phase.work >= this.#rules.leastPhase && !this.#module.callsHost(phase.function);
  }

  /** Is there enough to share in a run to wake anybody? */
  isRunWorthIt(work: number): boolean {
    return work >= this.#rules.leastRun;
  }

  /** Records that the caller and whoever has time do all units of a phase; the run ends there if a worker trapped. */
  share(phase: Phase, k: FunctionRecorder): void {
    const chunks = Math.min(
      chunksPerThread * this.#threads,
      phase.units,
      Math.max(this.#threads, Math.floor(phase.work / this.#rules.leastChunk)),
    );
    const number = this.#shared.push({ phase, chunks }) - 1;
    const naps = Math.ceil((this.#rules.patienceMs + phase.work / chunks / slowestUnitsPerMs) / napMs);
    k.call(shareFunction, number, chunks, Math.min(naps, everyone));
    k.if(i32.load(this.#module.global(controlGlobal), controlWords.failed), () => k.return());
  }

  /** Phases shared so far. */
  get count(): number {
    return this.#shared.length;
  }

  /** Records what the calls above need: `share`, and `work`, which workers call. */
  finish(): void {
    if (this.count === 0) return;
    this.#recordDispatch();
    this.#recordTake();
    this.#recordShare();
    this.#recordWork();
  }

  /** (phase, chunk, thread): finds the phase by halving. */
  #recordDispatch(): void {
    this.#module.function("chunk", { params: { phase: "i32", chunk: "i32", thread: "i32" } }, (k, { phase, chunk, thread }) => {
      const one = (number: number): void => {
        const { phase: called, chunks } = this.#shared[number];
        // Chunks differ by a unit at most. Chunks are taken from the last to the first: the larger ones first.
        const [each, small] = [Math.floor(called.units / chunks), chunks - (called.units % chunks)];
        const startOf = (at: Expr<"i32">): Expr<"i32"> =>
          small === chunks ? times(at, each) : plus(times(at, each), i32.max(plus(at, -small), 0));
        const low = k.let(startOf(chunk));
        const args: Expr<"i32">[] = [low, k.let(startOf(plus(chunk, 1))), thread];
        k.call(called.function, ...args.slice(0, called.function.params.length));
      };
      const among = (from: number, to: number): void => {
        const middle = (from + to) >> 1;
        if (to - from === 1) one(from);
        else
          k.if(
            i32.lt(phase, middle),
            () => among(from, middle),
            () => among(middle, to),
          );
      };
      among(0, this.#shared.length);
    });
  }

  /** (ticket, thread): does a chunk of that ticket if it is still there; 1 if so. */
  #recordTake(): void {
    this.#module.function("take", { params: { ticket: "i32", thread: "i32" }, results: ["i32"] }, (k, { ticket, thread }) => {
      const control = k.let(this.#module.global(controlGlobal));
      const next = k.let(i32.sub(ticket, 1));
      const found = k.atomic("compareExchange", control, controlWords.ticket, ticket, next);
      k.if(i32.ne(found, ticket), () => k.return(0));
      k.call(chunkFunction, i32.shrU(ticket, chunkBits), i32.and(next, chunkMask), thread);
      k.atomic("add", control, controlWords.done, 1);
      k.return(1);
    });
  }

  /** (phase, chunks, naps): the caller's side. It gives up when no chunk was done for so many naps. */
  #recordShare(): void {
    this.#module.function("share", { params: { phase: "i32", chunks: "i32", naps: "i32" } }, (k, { phase, chunks, naps }) => {
      const control = k.let(this.#module.global(controlGlobal));
      k.store("i32", control, controlWords.chunks, chunks);
      k.atomic("store", control, controlWords.done, 0);
      k.atomic("store", control, controlWords.ticket, i32.or(i32.shl(phase, chunkBits), chunks));
      const sleepers = k.atomic("load", control, controlWords.sleepers);
      k.if(sleepers, () => void k.atomic("notify", control, controlWords.ticket, everyone));
      k.block(taken => {
        k.while(i32.const(1), () => {
          const ticket = k.atomic("load", control, controlWords.ticket);
          k.breakIf(taken, i32.eqz(i32.and(ticket, chunkMask)));
          k.call(takeFunction, ticket, 0);
        });
      });
      const [looks, napped, last] = [k.number("i32"), k.number("i32"), k.number("i32")];
      const mayWait = this.#module.global(mayWaitGlobal);
      k.block(finished => {
        k.while(i32.const(1), () => {
          const done = k.atomic("load", control, controlWords.done);
          k.breakIf(finished, i32.eq(done, chunks));
          k.set(looks, plus(looks, 1));
          k.if(i32.gt(looks, i32.select(mayWait, i32.const(looksBeforeSleep), i32.const(looksOfNap))), () => {
            k.if(
              mayWait,
              () => {
                // Whoever adds to `done` from here on sees the flag, or this thread its addition.
                k.atomic("store", control, controlWords.callerSleeps, 1);
                k.atomic("wait", control, controlWords.done, done, BigInt(napMs * 1_000_000));
                k.atomic("store", control, controlWords.callerSleeps, 0);
              },
              () => k.set(looks, 0),
            );
            k.set(napped, i32.select(i32.eq(done, last), plus(napped, 1), i32.const(0)));
            k.set(last, done);
            k.if(i32.gt(napped, naps), () => {
              k.atomic("store", control, controlWords.failed, failures.late);
              k.return();
            });
          });
        });
      });
    });
  }

  /** (thread): what a worker does until it is sent away. */
  #recordWork(): void {
    this.#module.function("work", { params: { thread: "i32" }, exported: true }, (k, { thread }) => {
      const control = k.let(this.#module.global(controlGlobal));
      const [looks, spells] = [k.number("i32"), k.number("i32")];
      k.block(left => {
        k.while(i32.const(1), () => {
          const ticket = k.atomic("load", control, controlWords.ticket);
          k.breakIf(left, i32.eq(ticket, leaveTicket));
          k.if(
            i32.and(ticket, chunkMask),
            () => {
              k.set(looks, 0);
              k.set(spells, 0);
              const [took] = k.call(takeFunction, ticket, thread);
              k.if(took as Expr<"i32">, () => {
                k.atomic("add", control, controlWords.helped, 1);
                const sleeps = k.atomic("load", control, controlWords.callerSleeps);
                k.if(sleeps, () => void k.atomic("notify", control, controlWords.done, 1));
              });
            },
            () => {
              k.set(looks, plus(looks, 1));
              k.if(i32.gt(looks, looksBeforeSleep), () => {
                k.set(looks, 0);
                k.set(spells, plus(spells, 1));
                const running = k.atomic("load", control, controlWords.running);
                k.if(i32.or(i32.eqz(running), i32.gt(spells, spellsInRun)), () => {
                  k.set(spells, 0);
                  k.atomic("add", control, controlWords.sleepers, 1);
                  k.atomic("wait", control, controlWords.ticket, ticket, -1n);
                  k.atomic("add", control, controlWords.sleepers, -1);
                });
              });
            },
          );
        });
      });
    });
  }
}
