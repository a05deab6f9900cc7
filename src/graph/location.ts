// Where in the user's files a node was made: the first stack frame that is not tensorloom's own.

/** A captured stack, read only when an error needs it. */
export interface Location {
  /** `model.ts:14`-like text of the user's frame, or "" if none is known. */
  toString(): string;
}

const ownFolder = import.meta.url.replace(/graph\/[^/]*$/, "");
const depth = 40;

/** Remembers the call site; costs a few microseconds, for V8 makes text of a stack only when it is read (which takes ten times as long). */
export function captureLocation(): Location {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  const holder = new Error();
  Error.stackTraceLimit = limit;
  return { toString: () => userFrame(holder.stack ?? "") };
}

/** The place of a frame: `file:///a/model.ts:14:9` → `/a/model.ts:14:9`. */
function userFrame(stack: string): string {
  for (const line of stack.split("\n").slice(1)) {
    const place = /\(?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\)[^()]*:\d+:\d+)\)?$/.exec(line.trim())?.[1];
    if (place === undefined || isOwn(place) || place.includes("node:")) continue;
    return place.replace(/^file:\/\//, "");
  }
  return "";
}

const isOwn = (place: string): boolean => {
  const url = place.startsWith("/") ? `file://${place}` : place;
  return url.startsWith(ownFolder) && !/\.test\.ts/.test(url);
};
