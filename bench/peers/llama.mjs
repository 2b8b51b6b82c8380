// Measures one prefill and one decode run of llama.cpp through node-llama-cpp, token by token: no sampling, no text.
//
// Runs as a process of its own (`node llama.mjs '{"model":…}'`), so that its memory is free again when ours is measured.
// Prints one line of JSON: {"prefill": [tokens/s…], "decode": [tokens/s…], "loadSeconds": …}.
import {getLlama, readGgufFileInfo} from "node-llama-cpp";

const {model: file, threads, prompt, generate, repeat} = JSON.parse(process.argv[2]);

// A fixed, spread-out token sequence. Token 1 (BOS) is left out: llama.cpp takes a batch of one BOS for a warm-up, in
// which a mixture-of-experts model runs all of its experts. The first 259 ids are control and byte tokens.
const token = (position, vocabulary) => 259 + ((position * 7919) % (vocabulary - 259));

const {metadata} = await readGgufFileInfo(file, {readTensorInfo: false, logWarnings: false});
const vocabulary = metadata.llama?.vocab_size ?? metadata.tokenizer.ggml.tokens.length;
const loadStart = performance.now();
const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  progressLogs: false,
  maxThreads: threads,
  logger: (level, message) => level === "error" && process.stderr.write(message),
});
const bindings = llama._bindings;
const model = new bindings.AddonModel(file, {addonExports: bindings, gpuLayers: 0, useMmap: true});
if (!(await model.init())) throw new Error(`llama.cpp cannot load ${file}`);
const loadSeconds = (performance.now() - loadStart) / 1000;

const contextSize = prompt + generate;
const context = new bindings.AddonContext(model, {
  contextSize,
  batchSize: Math.max(prompt, 1),
  sequences: 1,
  flashAttention: "auto",
  threads,
  performanceTracking: false,
});
if (!(await context.init())) throw new Error("llama.cpp cannot create a context");
context.setThreads(threads);

const prefill = [];
const decode = [];
// The first round warms caches, thread pool and page tables, and is not counted.
for (let round = 0; round <= repeat; round++) {
  const promptSeconds = await evaluate(0, prompt);
  let decodeSeconds = 0;
  for (let i = 0; i < generate; i++) decodeSeconds += await evaluate(prompt + i, 1);
  context.disposeSequence(0);
  if (round > 0) {
    if (prompt > 0) prefill.push(prompt / promptSeconds);
    if (generate > 0) decode.push(generate / decodeSeconds);
  }
}
console.log(JSON.stringify({prefill, decode, loadSeconds}));
await context.dispose();
await model.dispose();
process.exit(0);

// Evaluates `count` tokens from `position`, with the logits of the last one; returns seconds.
async function evaluate(position, count) {
  if (count === 0) return 0;
  const tokens = Uint32Array.from({length: count}, (_, i) => token(position + i, vocabulary));
  const start = performance.now();
  context.initBatch(count);
  context.addToBatch(0, position, tokens, Uint32Array.of(count - 1));
  await context.decodeBatch();
  return (performance.now() - start) / 1000;
}
