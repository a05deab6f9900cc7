// Whose turn it is: one run of a session works at a time, first come, first served; one that waits lets others work meanwhile.

export class Turns {
  private isTaken = false;
  private readonly waiting: (() => void)[] = [];

  /** Would taking the turn give it at once? */
  get isFree(): boolean {
    return !this.isTaken;
  }

  /** Takes the turn; a promise if somebody else has it. */
  take(): Promise<void> | undefined {
    if (this.isTaken) return this.wait();
    this.isTaken = true;
    return undefined;
  }

  private wait(): Promise<void> {
    return new Promise(resolve => void this.waiting.push(resolve));
  }

  /** Gives the turn to the next in line. */
  give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.isTaken = false;
  }

  /** Awaits `work` without the turn, and takes it again. */
  async aside<T>(work: Promise<T>): Promise<T> {
    this.give();
    try {
      return await work;
    } finally {
      await this.take();
    }
  }
}
