// What a browser offers, reached as `#platform`; node.ts has the same exports. A subject has a file of its own for each side.

export { compileModule, joinVectorPairs } from "./engine-browser.ts";
export { appendText, type Compression, compress, decompress, files, hostname, processId, readNow } from "./files-browser.ts";
export { printText } from "./print-browser.ts";
export { terminal } from "./terminal-browser.ts";
export { availableThreads, canShareMemory, startThread } from "./threads-browser.ts";
