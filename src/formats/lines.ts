// Lines of text files, as TensorFlow's readers cut them.

const [lineFeed, carriageReturn] = [10, 13];

/** The lines without their ends. A carriage return before the end of a line belongs to the end; with `dropsReturns` none stays anywhere. Nothing behind the
 *  last end is no line. */
export function* linesOf(bytes: Uint8Array, { dropsReturns = false }: { readonly dropsReturns?: boolean } = {}): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    const whole = bytes.subarray(start, end);
    const line = dropsReturns ? withoutReturns(whole) : whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    if (found >= 0 || line.length > 0) yield line;
    start = end + 1;
  }
}

export const withoutReturns = (bytes: Uint8Array): Uint8Array =>
  bytes.includes(carriageReturn) ? bytes.filter(byte => byte !== carriageReturn) : bytes;
