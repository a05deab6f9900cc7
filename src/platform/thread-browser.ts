// A worker's first module in a browser: see thread-loop.ts. Its first message says which thread it is.

import { serveThread, type ThreadMessage, type ThreadStart } from "./thread-loop.ts";

let receive: ((message: ThreadMessage) => void) | undefined;

globalThis.onmessage = ({ data }: MessageEvent<ThreadStart | ThreadMessage>) => {
  if (data.kind === "start") receive = serveThread(data);
  else receive?.(data);
};
