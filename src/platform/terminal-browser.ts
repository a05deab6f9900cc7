// Browsers start no programs: there are no words, and what is printed goes to the console.

import type { Terminal } from "./terminal.ts";

export const terminal: Terminal = {
  words: [],
  width: null,
  isWatched: false,
  print: text => console.log(text),
  printError: text => console.error(text),
  setExitStatus: () => undefined,
};
