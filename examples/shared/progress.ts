// A live line for a long training: one line rewritten on a terminal, a plain line now and then elsewhere (a log file, CI).
// It only shows; what is shown is decided by the caller.

/** What a progress line is written to: `process.stdout`, or a test's stand-in. */
export type Output = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };

/** What one training step did: the loss and accuracy are those of its own batch. */
export type Step = { readonly examples: number; readonly loss: number; readonly accuracy: number };

/** The size of the whole training. */
export type Course = { readonly epochs: number; readonly stepsPerEpoch: number };

const refreshMs = 100;
const plainLineMs = 10_000;
const rateWindowMs = 10_000;
const smoothing = 0.95;
const longestBar = 30;

/** Shows steps as they are reported. `now` is a clock in milliseconds. */
export class Progress {
  readonly #output: Output;
  readonly #course: Course;
  readonly #now: () => number;
  #loss = new RunningMean();
  #accuracy = new RunningMean();
  #marks: { atMs: number; examples: number }[] = [];
  #steps = 0;
  #examples = 0;
  #shownAtMs: number;
  #line = "";

  constructor(output: Output, course: Course, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#course = course;
    this.#now = now;
    this.#shownAtMs = now();
  }

  /** How many steps were reported. */
  get steps(): number {
    return this.#steps;
  }

  /** The accuracy of recent batches, the newest weighing most; NaN before the first step. */
  get accuracy(): number {
    return this.#accuracy.value;
  }

  /** Takes note of a finished step and, if it is time, shows it. */
  step(step: Step): void {
    const atMs = this.#now();
    this.#steps++;
    this.#examples += step.examples;
    this.#loss.add(step.loss);
    this.#accuracy.add(step.accuracy);
    this.#marks.push({ atMs, examples: this.#examples });
    while (this.#marks.length > 2 && atMs - this.#marks[0].atMs > rateWindowMs) this.#marks.shift();
    this.#line = this.#lineNow();
    if (atMs - this.#shownAtMs < (this.#output.isTTY ? refreshMs : plainLineMs)) return;
    this.#shownAtMs = atMs;
    this.#show();
  }

  /** Shows the newest step for good, so that other text may follow. */
  finish(): void {
    if (this.#line === "") return;
    this.#show();
    if (this.#output.isTTY) this.#output.write("\n");
    this.#line = "";
  }

  /** On a terminal, shows `text` until the next step, note or finish; "" clears the line. Elsewhere it does nothing. */
  note(text: string): void {
    if (this.#output.isTTY) this.#rewrite(text);
  }

  #show(): void {
    if (this.#output.isTTY) this.#rewrite(this.#line);
    else this.#output.write(`${this.#line}\n`);
  }

  #rewrite(text: string): void {
    this.#output.write(`\r${text.slice(0, this.#columns - 1)}\x1b[K`);
  }

  #lineNow(): string {
    const { epochs, stepsPerEpoch } = this.#course;
    const epoch = Math.ceil(this.#steps / stepsPerEpoch);
    const stepOfEpoch = this.#steps - (epoch - 1) * stepsPerEpoch;
    const rate = this.#examplesPerSecond();
    const examplesLeft = (epochs * stepsPerEpoch - this.#steps) * (this.#examples / this.#steps);
    const [start, ...rest] = [
      `epoch ${epoch}/${epochs}`,
      `${String(stepOfEpoch).padStart(String(stepsPerEpoch).length)}/${stepsPerEpoch}`,
      `loss ${this.#loss.value.toFixed(3)}`,
      `accuracy ${(100 * this.#accuracy.value).toFixed(1)} %`,
      ...(rate === undefined ? [] : [`${Math.round(rate)} examples/s`, `${minutes(examplesLeft / rate)} left`]),
    ];
    const room = this.#columns - 1 - [start, ...rest].join("  ").length;
    return this.#output.isTTY ? [start + bar(stepOfEpoch / stepsPerEpoch, room), ...rest].join("  ") : [start, ...rest].join("  ");
  }

  /** A terminal that does not know its width says 0. */
  get #columns(): number {
    return this.#output.columns || 80;
  }

  /** Over the last seconds only. Counted from the end of the first step, which compiles the program and says nothing about the rest. */
  #examplesPerSecond(): number | undefined {
    const [first, last] = [this.#marks[0], this.#marks[this.#marks.length - 1]];
    return last.atMs > first.atMs ? (last.examples - first.examples) / ((last.atMs - first.atMs) / 1000) : undefined;
  }
}

/** A bar of at most `room` characters, "" if that is too short to show anything. Eighths of a block make up for short ones. */
function bar(share: number, room: number): string {
  const width = Math.min(longestBar, room - 1);
  if (width < 3) return "";
  const eighths = Math.round(share * width * 8);
  const filled = "█".repeat(Math.floor(eighths / 8)) + " ▏▎▍▌▋▊▉"[eighths % 8].trim();
  return ` ${filled.padEnd(width, "░")}`;
}

/** A mean that forgets: each value weighs 0.95 of the next one. */
class RunningMean {
  #sum = 0;
  #weight = 0;
  add(value: number): void {
    this.#sum = this.#sum * smoothing + value;
    this.#weight = this.#weight * smoothing + 1;
  }
  get value(): number {
    return this.#sum / this.#weight;
  }
}

/** `75` is `1:15`. */
export function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
