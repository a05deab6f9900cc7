// What reading and writing of JPEG share: markers, the zigzag order, and the tables of ITU-T T.81, annex K.

export const marker = {
  SOF0: 0xc0,
  SOF1: 0xc1,
  SOF2: 0xc2,
  DHT: 0xc4,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DRI: 0xdd,
  APP0: 0xe0,
  APP1: 0xe1,
  APP14: 0xee,
} as const;

/** Place in a block of 8 × 8 of the k-th coefficient. Damaged data may run over the end: the last one is there 16 times more. */
export const zigzag: Uint8Array = (() => {
  const order = new Uint8Array(64 + 16).fill(63);
  let at = 0;
  for (let diagonal = 0; diagonal < 15; diagonal++)
    for (let step = 0; step <= diagonal; step++) {
      const [down, right] = diagonal % 2 === 0 ? [diagonal - step, step] : [step, diagonal - step];
      if (down < 8 && right < 8) order[at++] = 8 * down + right;
    }
  return order;
})();

/** How many codes there are of each length from 1 to 16, and what they stand for, shortest first. */
export interface CodeLengths {
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

/** Quantization of luminance and chrominance for quality 50, row by row. */
export const annexQuantization: readonly (readonly number[])[] = [
  [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
    37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
  ],
  [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  ],
];

const lengths = (counts: string, symbols: string): CodeLengths => ({
  counts: Uint8Array.from(counts.split(" "), Number),
  symbols: Uint8Array.from(symbols.match(/../g) ?? [], pair => Number.parseInt(pair, 16)),
});

const differences = "000102030405060708090a0b";

/** Codes of the differences of DC coefficients: luminance, chrominance. */
export const annexDcCodes = (): readonly [CodeLengths, CodeLengths] => [
  lengths("0 1 5 1 1 1 1 1 1 0 0 0 0 0 0 0", differences),
  lengths("0 3 1 1 1 1 1 1 1 1 1 0 0 0 0 0", differences),
];

/** Codes of AC coefficients (zeros before it, bits of it): luminance, chrominance. */
export const annexAcCodes = (): readonly [CodeLengths, CodeLengths] => [
  lengths(
    "0 2 1 3 3 2 4 3 5 5 4 4 0 0 1 125",
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
  ),
  lengths(
    "0 2 1 2 4 4 3 4 7 5 4 4 0 1 2 119",
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
  ),
];
