// The programs a session keeps. Each place where a graph is compiled (all of it, or a segment) gets code of its own for the first few sizes it
// meets and shared code for all others, until one of these has run often; what was not run for longest is released when there are too many, and compiled again when it comes back.

import type { NDArray } from "../base/ndarray.ts";
import type { Device, Executable } from "../backends/device.ts";

/** Sizes of one place that get code of their own. */
const mostOwn = 4;
/** A size that has run so often gets code of its own late, or one whose runs have come to so many products of contractions (some 50 ms in
 *  shared code, about what compiling takes), if no more than so many of its place have. */
const oftenRuns = 32;
const manyProducts = 2e8;
const mostLate = 16;
/** Programs kept, and the bytes of their constants and numbers. */
const mostPrograms = 256;
const mostBytes = 2 ** 28;

/** One compiled program, made again after it was released. */
export interface Program {
  /** As the executable's. */
  run(feeds: readonly NDArray[], into?: NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly executable: Executable;
  release(): void;
}

const isOften = (runs: number, { counts }: Executable): boolean => runs > oftenRuns || runs * (counts.products ?? 0) > manyProducts;

export class Programs {
  readonly device: Device;
  /** In the order of their last runs. */
  private readonly kept = new Map<object, Executable>();
  private readonly own = new Map<string, number>();
  private readonly late = new Map<string, number>();
  private bytes = 0;

  constructor(device: Device) {
    this.device = device;
  }

  /** Compiles a program for a place; `make` compiles it. */
  async program(place: string, make: (anySize: boolean) => Promise<Executable>): Promise<Program> {
    const own = this.own.get(place) ?? 0;
    let anySize = this.device.anySizeTarget !== null && own >= mostOwn;
    this.own.set(place, own + 1);
    const identity = {};
    let newest = await make(anySize);
    let runs = 0;
    this.keep(identity, newest);
    const makeAndRun = async (feeds: readonly NDArray[]): Promise<readonly NDArray[]> => {
      newest = await make(anySize);
      this.drop(identity);
      this.keep(identity, newest);
      return newest.run(feeds);
    };
    return {
      get executable() {
        return newest;
      },
      run: (feeds, into) => {
        const executable = this.kept.get(identity);
        if (anySize && isOften(++runs, newest) && this.mayBeLate(place)) {
          anySize = false;
          return makeAndRun(feeds);
        }
        if (!executable) return makeAndRun(feeds);
        this.touch(identity, executable);
        return executable.run(feeds, into);
      },
      release: () => this.drop(identity),
    };
  }

  /** Takes one of the places for sizes that get code of their own late, if there is one left. */
  private mayBeLate(place: string): boolean {
    const taken = this.late.get(place) ?? 0;
    if (taken < mostLate) this.late.set(place, taken + 1);
    return taken < mostLate;
  }

  /** How many are kept. */
  get count(): number {
    return this.kept.size;
  }

  private touch(identity: object, executable: Executable): void {
    if (this.kept.size <= mostPrograms / 2) return;
    this.kept.delete(identity);
    this.kept.set(identity, executable);
  }

  private keep(identity: object, executable: Executable): void {
    this.kept.set(identity, executable);
    this.bytes += executable.heldBytes;
    for (const oldest of this.kept.keys()) {
      if (oldest === identity || (this.kept.size <= mostPrograms && this.bytes <= mostBytes)) break;
      this.drop(oldest);
    }
  }

  private drop(identity: object): void {
    const executable = this.kept.get(identity);
    if (!executable) return;
    this.kept.delete(identity);
    this.bytes -= executable.heldBytes;
    executable.release();
  }
}
