// What a worker does: it holds instances of programs on the memories of the thread that started it, and works on whichever that thread runs.
// Idle it sleeps on the control words; it goes back to its event loop only when mail waits there.
// The caller never waits for a worker to come, only for chunks a worker has begun. So nothing here needs to be quick, but for `work` itself.

/** Words of the memory that a pool and its workers share, whichever memories the programs have. */
export const poolWords = {
  /** Changes whenever workers should look at the other words. */
  turn: 0,
  /** The program to work on; 0 for none. */
  program: 1,
  /** Bytes of the message in `text`: what made a worker stop. */
  textBytes: 2,
  text: 16,
  /** For each worker: messages sent to it so far, and the program it is in. */
  workers: 16 + 64,
} as const;
const wordsPerWorker = 2;
export const mailWord = (thread: number): number => poolWords.workers + wordsPerWorker * thread;
export const insideWord = (thread: number): number => mailWord(thread) + 1;
export const poolBytes = (threads: number): number => 4 * mailWord(threads);
const mostTextBytes = 4 * (poolWords.workers - poolWords.text);

/** A module to make an instance of. Its functions of the host are not there: what calls them is not shared. */
export interface InstallMessage {
  readonly kind: "install";
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Numbers it imports. */
  readonly imports: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly memoryImport: readonly [namespace: string, name: string];
  readonly functionImports: readonly [namespace: string, names: readonly string[]];
  /** Workers with a number below this may work on it. */
  readonly threads: number;
  /** Where its control words are, in bytes, and which of them a worker that stopped writes. */
  readonly control: { readonly at: number; readonly done: number; readonly failed: number };
}

export type ThreadMessage = InstallMessage | { readonly kind: "forget"; readonly id: number };

export interface ThreadStart {
  readonly kind: "start";
  readonly control: SharedArrayBuffer;
  /** From 1; 0 is the caller. */
  readonly thread: number;
}

interface Program {
  readonly message: InstallMessage;
  readonly work: (thread: number) => void;
}

/** Serves one pool as one of its threads. Returns the receiver of messages. */
export function serveThread({ control, thread }: ThreadStart): (message: ThreadMessage) => void {
  const words = new Int32Array(control);
  const programs = new Map<number, Program>();
  let received = 0;

  const workOn = ({ work, message }: Program): void => {
    try {
      work(thread);
    } catch (error) {
      // The chunk counts as done, so that the caller goes on to see the failure.
      const { at, done, failed } = message.control;
      const text = new TextEncoder().encode(String(error)).subarray(0, mostTextBytes);
      new Uint8Array(control, 4 * poolWords.text, text.length).set(text);
      Atomics.store(words, poolWords.textBytes, text.length);
      const memory = new Int32Array(message.memory.buffer);
      Atomics.store(memory, (at + failed) / 4, 1);
      Atomics.add(memory, (at + done) / 4, 1);
      Atomics.notify(memory, (at + done) / 4);
    }
  };

  /** Works and sleeps until there is mail. */
  const stayUntilMail = (): void => {
    while (Atomics.load(words, mailWord(thread)) === received) {
      const turn = Atomics.load(words, poolWords.turn);
      const id = Atomics.load(words, poolWords.program);
      const program = programs.get(id);
      if (program === undefined || thread >= program.message.threads) {
        Atomics.wait(words, poolWords.turn, turn);
        continue;
      }
      // Either the pool sees this worker inside, or this worker sees that the pool has moved on.
      Atomics.store(words, insideWord(thread), id);
      if (Atomics.load(words, poolWords.program) === id) workOn(program);
      Atomics.store(words, insideWord(thread), 0);
    }
  };

  return message => {
    received++;
    if (message.kind === "forget") programs.delete(message.id);
    else programs.set(message.id, { message, work: instantiate(message) });
    stayUntilMail();
  };
}

function instantiate({ module, memory, imports, memoryImport, functionImports }: InstallMessage): (thread: number) => void {
  const all: WebAssembly.Imports = Object.fromEntries(Object.entries(imports).map(([name, numbers]) => [name, { ...numbers }]));
  const [namespace, names] = functionImports;
  const absent = (): never => {
    throw new Error("A worker called a function of the host.");
  };
  all[namespace] = { ...all[namespace], ...Object.fromEntries(names.map(name => [name, absent])) };
  all[memoryImport[0]] = { ...all[memoryImport[0]], [memoryImport[1]]: memory };
  return new WebAssembly.Instance(module, all).exports.work as (thread: number) => void;
}
