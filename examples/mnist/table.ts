// The confusion table as text: a row per true digit, a column per predicted one.

/** Text of a square table of counts, `counts[truth][predicted]`; zeros are dots, and each row ends with the share that is right. */
export function confusionTable(counts: readonly (readonly number[])[]): string {
  const names = counts.map((_, k) => String(k));
  const cellWidth = 2 + Math.max(...counts.flat().map(count => String(count).length), ...names.map(name => name.length));
  const row = (cells: readonly string[]) => cells.map(cell => cell.padStart(cellWidth)).join("");
  const body = counts.map((line, truth) => {
    const total = line.reduce((a, b) => a + b, 0);
    const right = total === 0 ? "-" : `${((100 * line[truth]) / total).toFixed(1)} %`;
    return `true ${names[truth]}${row(line.map(count => (count === 0 ? "." : String(count))))}  ${right.padStart(7)}`;
  });
  return [`      ${row(names)}    right`, ...body].join("\n");
}
