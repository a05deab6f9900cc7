// The programs a session keeps. Each place where a graph is compiled (all of it, or a segment) gets code of its own for the first few sizes it
// meets and shared code for all others; what was not run for longest is released when there are too many, and compiled again when it comes back.

import type { NDArray } from "../base/ndarray.ts";
import type { Device, Executable } from "../backends/device.ts";

/** Sizes of one place that get code of their own. */
const mostOwn = 4;
/** Programs kept, and the bytes of their constants and numbers. */
const mostPrograms = 256;
const mostBytes = 2 ** 28;

/** One compiled program, made again after it was released. */
export interface Program {
  run(feeds: readonly NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  readonly executable: Executable;
  release(): void;
}

export class Programs {
  readonly device: Device;
  /** In the order of their last runs. */
  private readonly kept = new Map<object, Executable>();
  private readonly own = new Map<string, number>();
  private bytes = 0;

  constructor(device: Device) {
    this.device = device;
  }

  /** Compiles a program for a place; `make` compiles it. */
  async program(place: string, make: (anySize: boolean) => Promise<Executable>): Promise<Program> {
    const own = this.own.get(place) ?? 0;
    const anySize = this.device.anySizeTarget !== null && own >= mostOwn;
    this.own.set(place, own + 1);
    const identity = {};
    const first = await make(anySize);
    this.keep(identity, first);
    return {
      executable: first,
      run: feeds => {
        const executable = this.kept.get(identity);
        if (!executable)
          return make(anySize).then(made => {
            this.keep(identity, made);
            return made.run(feeds);
          });
        this.touch(identity, executable);
        return executable.run(feeds);
      },
      release: () => this.drop(identity),
    };
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
