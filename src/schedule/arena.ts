// Packing arrays that live for a while into one arena: each gets an offset such that no two that live at the same time overlap.
// The largest first, each into the smallest gap that fits. Idea: TensorFlow Lite's greedy-by-size planner (Pisarchyk and Lee, 2020).

/** Something that needs `bytes` of memory from one position in the order of kernels to another, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
}

export interface Packing<T extends Lifetime> {
  readonly offsets: ReadonlyMap<T, number>;
  readonly bytes: number;
}

const roundUp = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** Offsets, multiples of `alignment`, for all items. Several orders are tried unless the first reaches the bound. */
export function pack<T extends Lifetime>(items: readonly T[], alignment: number): Packing<T> {
  const bound = largestLiveSum(items, alignment);
  const duration = (item: T): number => item.end - item.start + 1;
  const orders: ((a: T, b: T) => number)[] = [
    (a, b) => b.bytes - a.bytes || duration(b) - duration(a) || a.start - b.start,
    (a, b) => b.bytes * duration(b) - a.bytes * duration(a) || a.start - b.start,
    (a, b) => a.start - b.start || b.bytes - a.bytes,
    (a, b) => duration(b) - duration(a) || b.bytes - a.bytes,
  ];
  let best: Packing<T> | undefined;
  for (const compare of orders) {
    const packing = packInOrder([...items].sort(compare), alignment);
    if (best === undefined || packing.bytes < best.bytes) best = packing;
    if (best.bytes <= bound) break;
  }
  return best as Packing<T>;
}

function packInOrder<T extends Lifetime>(items: readonly T[], alignment: number): Packing<T> {
  const offsets = new Map<T, number>();
  /** What has its offset, by offset. */
  const placed: { item: T; offset: number; end: number }[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = roundUp(item.bytes, alignment);
    let offset = -1;
    let smallest = Number.POSITIVE_INFINITY;
    let free = 0;
    for (const other of placed) {
      if (other.item.start > item.end || other.item.end < item.start) continue;
      const gap = other.offset - free;
      if (gap >= size && gap < smallest) {
        smallest = gap;
        offset = free;
      }
      if (other.end > free) free = other.end;
    }
    if (offset < 0) offset = free;
    offsets.set(item, offset);
    bytes = Math.max(bytes, offset + size);
    placed.splice(firstAfter(placed, offset), 0, { item, offset, end: offset + size });
  }
  return { offsets, bytes };
}

function firstAfter(placed: readonly { readonly offset: number }[], offset: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].offset <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The most bytes that are alive at one position: no packing can do with less. */
export function largestLiveSum(items: readonly Lifetime[], alignment: number): number {
  const changes: [position: number, bytes: number][] = [];
  for (const { start, end, bytes } of items) {
    const size = roundUp(bytes, alignment);
    changes.push([start, size], [end + 0.5, -size]);
  }
  changes.sort((a, b) => a[0] - b[0]);
  let live = 0;
  let most = 0;
  for (const [, bytes] of changes) {
    live += bytes;
    most = Math.max(most, live);
  }
  return most;
}
