// What may be asked of the engine itself in a browser: no flags, those are given when it starts.

/** See engine-node.ts. */
export const joinVectorPairs = (): boolean => false;

/** See engine-node.ts. */
export const compileModule = (bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> => WebAssembly.compile(bytes);
