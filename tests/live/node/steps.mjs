// What the scripts here share: a step is chosen on the command line, and what it saw goes to stdout as JSON.
// The environment names the server (BASE) and the tokens of two people (TOKEN, OTHER).

export const { BASE, TOKEN, OTHER } = process.env;

const WAIT_MS = 20_000;

export async function run(steps) {
  const [name, ...words] = process.argv.slice(2);
  const seen = await steps[name](...words);
  process.stdout.write(JSON.stringify(seen), () => process.exit(0)); // streams would keep the process alive
}

// Resolves to what `find` finds, which is asked again and again.
export async function eventually(find) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${WAIT_MS} ms: ${find}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
