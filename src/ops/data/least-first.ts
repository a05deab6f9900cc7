// A binary heap that gives equals in the order in which C++'s std::priority_queue does (libstdc++: the hole sinks to the bottom, then the last
// element rises from there), since queues with priorities and barriers of TensorFlow keep their elements in one.

/** Adds an element; `rankOf` tells which leaves first. */
export function push<T>(heap: T[], element: T, rankOf: (element: T) => bigint): void {
  heap.push(element);
  rise(heap, heap.length - 1, element, rankOf);
}

/** Takes the least; the heap must not be empty. */
export function pop<T>(heap: T[], rankOf: (element: T) => bigint): T {
  const least = heap[0];
  const last = heap.pop() as T;
  const { length } = heap;
  if (length === 0) return least;
  let hole = 0;
  for (let right = 2; right <= length; right = 2 * hole + 2) {
    const child = right === length || rankOf(heap[right]) > rankOf(heap[right - 1]) ? right - 1 : right;
    heap[hole] = heap[child];
    hole = child;
  }
  rise(heap, hole, last, rankOf);
  return least;
}

function rise<T>(heap: T[], from: number, element: T, rankOf: (element: T) => bigint): void {
  let hole = from;
  for (let parent = (hole - 1) >> 1; hole > 0 && rankOf(heap[parent]) > rankOf(element); parent = (hole - 1) >> 1) {
    heap[hole] = heap[parent];
    hole = parent;
  }
  heap[hole] = element;
}
