// How a script and the test that started it talk: the argument is a JSON object of what the script is to know; "open"
// has the test open a page as a user would, and resolves to the address where the user ends.
import { createInterface } from "node:readline";

export const given = JSON.parse(process.argv[2]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function open(url) {
  console.log(JSON.stringify({ open: url.href ?? url }));
  const { value, done } = await lines.next();
  if (done) throw new Error("the test is gone");
  return new URL(JSON.parse(value));
}

export async function run(script) {
  await script();
  console.log(JSON.stringify({ done: true }));
  process.exit(0);
}
