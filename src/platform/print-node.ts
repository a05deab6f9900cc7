// What a running graph prints, in Node.

/** Writes to an output of the process, as it is. */
export const printText = (stream: "stdout" | "stderr", text: string): void => void process[stream].write(text);
