// Measures llama.cpp and mixtral-java on the same GGUF with the same token counts, in turns, and compares medians.
//
// Turns rather than one after the other: a shared machine drifts, and both must meet the same drift. The order within
// a round alternates, and each measurement is a process of its own, so that neither holds memory while the other runs.
import {spawnSync} from "node:child_process";
import {existsSync, writeFileSync} from "node:fs";
import {cpus} from "node:os";
import path from "node:path";
import {fileURLToPath} from "node:url";
import {parseArgs} from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
const help = `Usage: compare --model FILE.gguf [OPTION…]
  --threads N         compute threads of each (default: 2)
  --prompt N          tokens of the prefill (default: 512; 0: none)
  --generate N        tokens of the decode that follows (default: 64; 0: none)
  --rounds R          rounds; each measures every engine once, warm (default: 3)
  --kernels LIST      our kernels, comma-separated, each an engine of its own (default: auto)
  --llama-bench CMD   measure a llama-bench too, with options of its own, such as "PATH/llama-bench -rtr 1";
                      may be given several times
  --no-node           leave node-llama-cpp out; the first --llama-bench is what ratios refer to
  --mixtral PATH      our command (default: the clone's ./mixtral)
  --json FILE         write every figure there as well
A GGUF of full width and few layers: ./mixtral bench --random 8x7b:q4_0 --layers 4 --save-gguf FILE.gguf`;

const {values: options} = parseArgs({
  options: {
    "model": {type: "string"},
    "threads": {type: "string", default: "2"},
    "prompt": {type: "string", default: "512"},
    "generate": {type: "string", default: "64"},
    "rounds": {type: "string", default: "3"},
    "kernels": {type: "string", default: "auto"},
    "llama-bench": {type: "string", multiple: true, default: []},
    "no-node": {type: "boolean", default: false},
    "mixtral": {type: "string", default: path.join(here, "..", "..", "mixtral")},
    "json": {type: "string"},
    "help": {type: "boolean", short: "h", default: false},
  },
});
if (options.help) {
  console.log(help);
  process.exit(0);
}
if (!options.model || !existsSync(options.model)) fail(`--model: there is no file ${options.model ?? ""}\n${help}`, 2);
const [threads, prompt, generate, rounds] = ["threads", "prompt", "generate", "rounds"].map((name) => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 0) fail(`--${name}: expected a whole number, got ${options[name]}`, 2);
  return value;
});

const peers = [
  ...(options["no-node"] ? [] : [{name: "llama.cpp (node)", measure: nodeLlamaCpp}]),
  ...options["llama-bench"].map((command) => ({
    name: command.split("/").slice(-4).join("/"),
    measure: () => llamaBench(command.split(" ")),
  })),
];
if (peers.length === 0) fail("--no-node leaves nothing to compare with; give a --llama-bench", 2);
const engines = [
  ...peers,
  ...options.kernels.split(",").map((kernels) => ({
    name: `mixtral-java ${kernels}`,
    measure: () => mixtral(kernels),
  })),
];

const samples = Object.fromEntries(engines.map((engine) => [engine.name, {prefill: [], decode: []}]));
for (let round = 0; round < rounds; round++) {
  for (const engine of round % 2 === 0 ? engines : [...engines].reverse()) {
    const {prefill, decode} = engine.measure();
    samples[engine.name].prefill.push(...prefill);
    samples[engine.name].decode.push(...decode);
    const figures = `prefill ${prefill.map(rounded)} decode ${decode.map(rounded)} tokens/s`;
    process.stderr.write(`round ${round + 1}/${rounds}  ${engine.name}: ${figures}\n`);
  }
}

const reference = samples[peers[0].name];
const results = engines.map(({name}) => ({
  engine: name,
  prefill: summary(samples[name].prefill, reference.prefill),
  decode: summary(samples[name].decode, reference.decode),
}));
const report = {
  model: path.basename(options.model),
  cpu: cpus()[0].model,
  threads,
  promptTokens: prompt,
  generatedTokens: generate,
  rounds,
  results,
};
console.log(`${report.model}, ${threads} threads of ${report.cpu}, ${prompt} + ${generate} tokens, ${rounds} rounds\n`);
console.log("| engine | prefill tokens/s | of the first | decode tokens/s | of the first |");
console.log("|---|---|---|---|---|");
for (const {engine, prefill, decode} of results) {
  console.log(`| ${engine} | ${cell(prefill)} | ${ratio(prefill)} | ${cell(decode)} | ${ratio(decode)} |`);
}
if (options.json) writeFileSync(options.json, JSON.stringify(report, null, 2) + "\n");

function nodeLlamaCpp() {
  const task = JSON.stringify({model: path.resolve(options.model), threads, prompt, generate, repeat: 1});
  return JSON.parse(run(process.execPath, [path.join(here, "llama.mjs"), task]));
}

// Its decode starts at an empty context, ours behind the prompt: a small advantage for it.
function llamaBench([command, ...own]) {
  const args = ["-m", options.model, "-t", threads, "-p", prompt, "-n", generate, "-r", 1, "-o", "json", ...own];
  const rows = JSON.parse(run(command, args));
  const rates = (wanted) => rows.filter(wanted).map((row) => row.avg_ts);
  return {prefill: rates((row) => row.n_prompt > 0), decode: rates((row) => row.n_gen > 0)};
}

function mixtral(kernels) {
  const args = ["bench", options.model, "--prompt", prompt, "--generate", generate, "--batch", 1];
  const output = run(options.mixtral, [...args, "--threads", threads, "--kernels", kernels, "--json"]);
  const {runs} = JSON.parse(output);
  const rates = (name) => runs.map((result) => result[name]).filter((value) => value > 0);
  return {prefill: rates("prefillTokensPerSecond"), decode: rates("decodeTokensPerSecond")};
}

function run(command, args) {
  const result = spawnSync(command, args.map(String), {encoding: "utf8", stdio: ["ignore", "pipe", "pipe"]});
  if (result.error) fail(`${command}: ${result.error.message}`, 1);
  if (result.status !== 0) fail(`${command} ${args.join(" ")} failed:\n${result.stderr}`, 1);
  return result.stdout;
}

function summary(values, referenceValues) {
  if (values.length === 0) return null;
  return {median: median(values), ratio: median(values) / median(referenceValues), samples: values};
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function cell(figure) {
  return figure === null ? "" : rounded(figure.median);
}

function ratio(figure) {
  return figure === null ? "" : `${figure.ratio.toFixed(2)}×`;
}

function rounded(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function fail(message, exitCode) {
  process.stderr.write(`compare: ${message}\n`);
  process.exit(exitCode);
}
