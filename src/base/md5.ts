// MD5 of a text, in lower-case hexadecimal: not for secrets, only for what TensorFlow derives from it.

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

/** The digest of the text's UTF-8 bytes. RFC 1321. */
export function md5(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n, true);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = view.getUint32(block + 4 * ([i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16), true);
      const sum = (a + mixed + Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))) + word) | 0;
      const shift = shifts[4 * round + (i % 4)];
      [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
    }
    [a, b, c, d].forEach((value, i) => {
      state[i] += value;
    });
  }
  return [...new Uint8Array(state.buffer)].map(byte => byte.toString(16).padStart(2, "0")).join("");
}
