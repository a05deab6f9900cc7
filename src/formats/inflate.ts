// Undoing compression, by what the platform has.

/** The bytes behind a zlib or gzip stream. Rejects where the stream is damaged. */
export const unzlib = (bytes: Uint8Array, format: "deflate" | "gzip" = "deflate"): Promise<Uint8Array> =>
  new Response(new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream(format)))
    .arrayBuffer()
    .then(buffer => new Uint8Array(buffer));
