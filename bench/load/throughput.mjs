// Measures how many tokens per second a server generates for some clients at once.
//
//   ./mixtral serve --port 8080 &
//   node bench/load/throughput.mjs --url http://127.0.0.1:8080 --clients 1,16,1,16
//   node bench/load/throughput.mjs --url http://127.0.0.1:8080 --with http://127.0.0.1:8081 --clients 1,16
//
// Every client sends text completions one after the other, as token ids, each with a prompt of its own, so that no
// cache of prefixes helps; the end token is banned, so that all answers have the same length. With `--with` a second
// server of the same API, such as llama.cpp's, takes turns with the first on the same prompts. Needs Node 20.
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    with: { type: 'string' },
    clients: { type: 'string', default: '1,16' },
    requests: { type: 'string', default: '4' },
    prompt: { type: 'string', default: '32' },
    generate: { type: 'string', default: '64' },
    vocabulary: { type: 'string', default: '1000' },
    end: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const numRequests = Number(options.requests);
const numPromptTokens = Number(options.prompt);
const numTokens = Number(options.generate);
const firstId = 300;
const urls = options.with ? [options.url, options.with] : [options.url];
let numPrompts = 0;

/** Returns ids that no earlier prompt began with. */
function prompt() {
  const range = Number(options.vocabulary) - firstId;
  let state = ++numPrompts;
  return Array.from({ length: numPromptTokens }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return firstId + (state % range);
  });
}

async function complete(url, model) {
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      prompt: prompt(),
      max_tokens: numTokens,
      temperature: 0,
      logit_bias: { [options.end]: -100 },
    }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`);
  return body.usage.completion_tokens;
}

/** Returns the tokens per second of some clients, their prompts' time included. */
async function measure(url, model, numClients) {
  const started = performance.now();
  const clients = Array.from({ length: numClients }, async () => {
    let tokens = 0;
    for (let i = 0; i < numRequests; i++) tokens += await complete(url, model);
    return tokens;
  });
  const tokens = (await Promise.all(clients)).reduce((a, b) => a + b);
  return (tokens * 1000) / (performance.now() - started);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const models = new Map();
for (const url of urls) {
  const list = await (await fetch(`${url}/v1/models`)).json();
  if (!list.data) throw new Error(`${url} is not ready: ${JSON.stringify(list)}`);
  models.set(url, list.data[0].id);
  await measure(url, models.get(url), 1);
}
const rates = new Map();
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const clients of options.clients.split(',').map(Number)) {
    for (const url of round % 2 ? urls : urls.toReversed()) {
      const rate = await measure(url, models.get(url), clients);
      console.error(`round ${round}: ${url} ${clients} clients: ${rate.toFixed(1)} tokens/s`);
      const key = `${url} ${clients}`;
      rates.set(key, [...(rates.get(key) ?? []), rate]);
    }
  }
}
for (const [key, values] of rates) console.log(`${key} clients: ${median(values).toFixed(1)} tokens/s (median)`);
