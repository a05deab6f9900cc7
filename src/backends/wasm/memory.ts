// One device's linear memory: regions handed out first-fit, 64-byte aligned, and given back. Growing detaches all views, so users of views
// compare `version`.

import { ResourceExhaustedError } from "../../base/errors.ts";

const pageBytes = 65536;
/** All that 32 bits address; less where an engine will not reserve that much, in which case it says so when the memory is made. */
const maximalPages = [65536, 32768, 16384] as const;
export const alignment = 64;

interface Span {
  readonly offset: number;
  readonly bytes: number;
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  private readonly mostPages: number;
  /** Counts growths. */
  version = 0;
  private free: Span[] = [{ offset: alignment, bytes: pageBytes - alignment }];

  constructor({ shared = false }: { shared?: boolean } = {}) {
    [this.memory, this.mostPages] = reserve(shared);
  }

  get buffer(): ArrayBuffer {
    return this.memory.buffer;
  }

  /** Reserves bytes; the offset is a multiple of 64, and at least 64 bytes follow that belong to nobody's data. `parts` says what is largest in it.
   *  @throws ResourceExhaustedError beyond WebAssembly's 4 GiB, or what the machine gives. */
  allocate(bytes: number, purpose: string, parts: () => string = () => ""): number {
    const size = roundUp(Math.max(bytes, 1));
    let at = this.free.findIndex(span => span.bytes >= size);
    if (at < 0) {
      this.grow(size, purpose, parts);
      at = this.free.findIndex(span => span.bytes >= size);
    }
    const span = this.free[at];
    if (span.bytes === size) this.free.splice(at, 1);
    else this.free[at] = { offset: span.offset + size, bytes: span.bytes - size };
    return span.offset;
  }

  /** Would so many bytes fit, as far as WebAssembly goes? */
  hasRoomFor(bytes: number): boolean {
    const size = roundUp(Math.max(bytes, 1));
    const end = this.memory.buffer.byteLength;
    const last = this.free[this.free.length - 1];
    const atEnd = last && last.offset + last.bytes === end ? last.bytes : 0;
    return size <= this.mostPages * pageBytes - end + atEnd || this.free.some(span => span.bytes >= size);
  }

  release(offset: number, bytes: number): void {
    const size = roundUp(Math.max(bytes, 1));
    const spans = [...this.free, { offset, bytes: size }].sort((a, b) => a.offset - b.offset);
    this.free = [];
    for (const span of spans) {
      const last = this.free[this.free.length - 1];
      if (last && last.offset + last.bytes === span.offset)
        this.free[this.free.length - 1] = { offset: last.offset, bytes: last.bytes + span.bytes };
      else this.free.push(span);
    }
  }

  private grow(size: number, purpose: string, parts: () => string): void {
    const end = this.memory.buffer.byteLength;
    const last = this.free[this.free.length - 1];
    const atEnd = last && last.offset + last.bytes === end ? last.bytes : 0;
    const pages = Math.ceil((size - atEnd) / pageBytes);
    const have = end / pageBytes;
    try {
      if (have + pages > this.mostPages) throw new RangeError("over the maximum");
      this.memory.grow(pages);
    } catch {
      throw new ResourceExhaustedError(
        `OOM when allocating ${size} bytes for ${purpose}${parts()}\n\nThe session holds ${end} bytes, ${this.free.reduce((sum, { bytes }) => sum + bytes, 0)} of them free; WebAssembly gives it at most ${this.mostPages / 16384} GiB. Use a smaller batch, or fewer variables.`,
      );
    }
    this.version++;
    this.release(end, pages * pageBytes);
  }
}

/** A memory of one page that may grow as far as the engine lets it. */
function reserve(shared: boolean): [memory: WebAssembly.Memory, mostPages: number] {
  let refusal: unknown;
  for (const maximum of maximalPages) {
    try {
      return [new WebAssembly.Memory({ initial: 1, maximum, shared }), maximum];
    } catch (error) {
      refusal = error;
    }
  }
  throw new ResourceExhaustedError(`The engine reserves no memory: ${String(refusal)}\n\nClose sessions that are not needed.`);
}

/** Rounded up to the alignment, with room for one vector behind. */
export const roundUp = (bytes: number): number => Math.ceil((bytes + alignment) / alignment) * alignment;
