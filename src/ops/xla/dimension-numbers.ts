// Dimension numbers: messages of XLA's in text attributes, which say what each axis of an operand is.

import { bytesOfText } from "../../base/ndarray.ts";
import { WireReader, wireTypes } from "../../formats/wire.ts";

/** The numbers of each field, by its number; a single number is a list of one. */
export function dimensionNumbers(text: string, what: string): (field: number) => readonly number[] {
  const reader = new WireReader(bytesOfText(text), what);
  const fields = new Map<number, number[]>();
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    const list = fields.get(number) ?? [];
    fields.set(number, list);
    if (wire === wireTypes.varint) list.push(Number(reader.varint()));
    else if (wire === wireTypes.bytes) {
      const end = Number(reader.varint()) + reader.offset;
      if (end > reader.end) reader.fail("a list is longer than the message");
      while (reader.offset < end) list.push(Number(reader.varint()));
    } else reader.fail(`field ${number} is no number`);
  }
  return field => fields.get(field) ?? [];
}
