// Where in the user's files a node was made: the first stack frame that is not tensorloom's own.

import { withHint } from "../base/errors.ts";

/** A captured stack, read only when an error needs it. */
export interface Location {
  /** `model.ts:14`-like text of the user's frame, or "" if none is known. */
  toString(): string;
}

/** The folder of the library: of its rooms, or of all its files where they were put together. */
const ownFolder = import.meta.url.replace(/(?:graph\/)?[^/]*$/, "");
const depth = 40;
let shared: Location | undefined;

/** Remembers the call site; costs some ten microseconds, for V8 makes text of a stack only when it is read (which takes ten times as long). */
export function captureLocation(): Location {
  if (shared !== undefined) return shared;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  const holder = new Error();
  Error.stackTraceLimit = limit;
  return { toString: () => userFrame(holder.stack ?? "") };
}

/** All nodes that `build` makes are told to be made where this was called: for what makes hundreds by itself, under a deep stack. */
export function fromHere<T>(build: () => T): T {
  const outer = shared;
  shared = captureLocation();
  try {
    return build();
  } finally {
    shared = outer;
  }
}

/** The error with the place where the node was to be made; one that has its place stays as it is. */
export function placed<E extends Error>(error: E, name: string, where: Location = captureLocation()): E {
  const place = where.toString();
  return place === "" || error.message.includes("\nNode '") ? error : withHint(error, `Node '${name}' was to be made at ${place}.`);
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
