// What Node (Deno, Bun) offers, reached as `#platform`; browser.ts has the same exports. A subject has a file of its own for each side.

export { compileModule, joinVectorPairs } from "./engine-node.ts";
export { appendText, type Compression, compress, decompress, files, hostname, processId, readNow } from "./files-node.ts";
export { printText } from "./print-node.ts";
export { terminal } from "./terminal-node.ts";
export { availableThreads, canShareMemory, startThread } from "./threads-node.ts";
