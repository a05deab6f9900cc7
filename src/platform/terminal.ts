// What a command needs of the place it was started from.

export interface Terminal {
  /** What follows the command's name. */
  readonly words: readonly string[];
  /** Columns; null where the output is no terminal. */
  readonly width: number | null;
  /** Does somebody watch messages come and go? */
  readonly isWatched: boolean;
  print(text: string): void;
  printError(text: string): void;
  setExitStatus(status: number): void;
}
