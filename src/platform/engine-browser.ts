// What may be asked of the engine itself in a browser: nothing, its flags are given when it starts.

/** See engine-node.ts. */
export const joinVectorPairs = (): boolean => false;
