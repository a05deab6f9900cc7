// What a running graph prints, in browsers: to the console, which ends lines by itself.

/** An entry of the console. */
export const printText = (stream: "stdout" | "stderr", text: string): void =>
  console[stream === "stdout" ? "log" : "error"](text.replace(/\n$/, ""));
