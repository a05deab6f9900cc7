// Names: what is nearest to a misspelt one, and snake_case ↔ camelCase by one bijective rule: `_x` ↔ `X` for letters; an underscore before a digit stays (`beta_1`).

/** `max_pool` → `maxPool`; names that begin with a capital stay as they are. */
export const camelOf = (snake: string): string =>
  /^[A-Z]/.test(snake) ? snake : snake.replace(/(?<=[A-Za-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `maxPool` → `max_pool`; names that begin with a capital stay as they are. */
export const snakeOf = (camel: string): string =>
  /^[A-Z]/.test(camel) || !/[A-Z]/.test(camel) ? camel : camel.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** What of `names` somebody may have meant by `wanted`: at most a third of its letters differ, or it is a part of the other. */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  const [plain, limit] = [wanted.toLowerCase(), wanted.length / 3];
  for (const name of names) {
    const other = name.toLowerCase();
    const isPart = plain.length > 2 && (other.includes(plain) || (other.length > 2 && plain.includes(other)));
    const distance = isPart ? limit : Math.abs(name.length - wanted.length) > limit ? Number.POSITIVE_INFINITY : editDistance(plain, other);
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance };
  }
  return best?.name;
}

/** How many letters must be put in, taken out or changed (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) row.push(Math.min(row[k - 1] + 1, above[k] + 1, above[k - 1] + (a[i - 1] === b[k - 1] ? 0 : 1)));
    above = row;
  }
  return above[b.length];
}

/** The same at the level of types. */
export type SnakeOf<S extends string> = S extends Capitalize<S> ? S : Lowered<S>;

type Lowered<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Uppercase<Head>
    ? Head extends Lowercase<Head>
      ? `${Head}${Lowered<Tail>}`
      : `_${Lowercase<Head>}${Lowered<Tail>}`
    : `${Head}${Lowered<Tail>}`
  : S;
