// A worker's first module in Node: see thread-loop.ts.

import { parentPort, workerData } from "node:worker_threads";
import { serveThread } from "./thread-loop.ts";

const receive = serveThread(workerData);
parentPort?.on("message", receive);
