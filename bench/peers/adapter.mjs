// Compares llama.cpp (node-llama-cpp) and mixtral-java on a GGUF model with a GGUF adapter: every logit of some prompts,
// and the tokens that follow greedily.
//
//   node adapter.mjs MODEL.gguf ADAPTER.gguf [MIXTRAL]
//
// Both weights should be F32: then what is left is the 16 bits of llama.cpp's key/value cache.
import {spawnSync} from "node:child_process";
import path from "node:path";
import {fileURLToPath} from "node:url";
import {getLlama} from "node-llama-cpp";

const here = path.dirname(fileURLToPath(import.meta.url));
const [model, adapter, mixtral = path.join(here, "..", "..", "mixtral")] = process.argv.slice(2);
if (!adapter) {
  console.error("Usage: node adapter.mjs MODEL.gguf ADAPTER.gguf [MIXTRAL]");
  process.exit(2);
}
const prompts = 4;
const promptLength = 24;
const generate = 24;

const llama = await getLlama({gpu: false, build: "never", skipDownload: true, progressLogs: false, maxThreads: 1});
const loaded = await llama.loadModel({modelPath: model});
const vocabulary = loaded.fileInfo.metadata.llama?.vocab_size ?? loaded.fileInfo.metadata.tokenizer.ggml.tokens.length;
// The first 259 ids are control and byte tokens.
const first = Math.min(259, vocabulary / 2);
const token = (i) => first + ((i * 7919) % (vocabulary - first));

let before = [];
for (const lora of [undefined, adapter]) {
  const theirs = await evaluate(lora);
  const texts = theirs.map(({ids}) => ids.join());
  if (lora && texts.every((text, p) => text === before[p])) throw new Error("the adapter changes nothing");
  before = texts;
  const ours = logits(theirs.map(({ids}) => ids), lora);
  let largest = 0;
  let range = 0;
  let equal = 0;
  let compared = 0;
  theirs.forEach(({rows}, p) => rows.forEach((row, position) => {
    const own = ours[p][position];
    row.forEach((logit, id) => {
      largest = Math.max(largest, Math.abs(logit - own[id]));
      range = Math.max(range, Math.abs(logit));
    });
    if (position >= promptLength - 1) {
      compared++;
      equal += argmax(row) === argmax(own) ? 1 : 0;
    }
  }));
  console.log(`${lora ? "with the adapter" : "model alone     "}: largest difference of a logit ${largest.toExponential(2)}`
    + ` (logits up to ${range.toFixed(1)}); greedy tokens equal ${equal} of ${compared}`);
}
process.exit(0);

// Returns the ids of each prompt and what follows greedily, and the logits behind each of them.
async function evaluate(lora) {
  const context = await loaded.createContext({contextSize: 512, sequences: 1, threads: 1, lora});
  const sequence = context.getSequence();
  const results = [];
  for (let p = 0; p < prompts; p++) {
    await sequence.clearHistory();
    const ids = Array.from({length: promptLength}, (_, i) => (i === 0 ? 1 : token(p * promptLength + i)));
    const rows = [];
    let next = ids;
    for (let i = 0; i <= generate; i++) {
      const outputs = await sequence.controlledEvaluate(next.map((id) => [id, {generateNext: {logits: true}}]));
      for (const output of outputs) {
        const row = new Float32Array(vocabulary);
        output.next.logits.forEach((logit, id) => { row[id] = logit; });
        rows.push(row);
      }
      next = [argmax(rows.at(-1))];
      if (i < generate) ids.push(next[0]);
    }
    results.push({ids, rows});
  }
  await context.dispose();
  return results;
}

function logits(lists, lora) {
  const args = ["logits", model, "--all", "--exact", ...(lora ? ["--lora", lora] : [])];
  const input = lists.map((ids) => JSON.stringify({ids}) + "\n").join("");
  const run = spawnSync(mixtral, args, {input, encoding: "utf8", maxBuffer: 2 ** 30});
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout.trim().split("\n").map((line) => JSON.parse(line).logits);
}

function argmax(row) {
  let best = 0;
  row.forEach((value, id) => { if (value > row[best]) best = id; });
  return best;
}
