// Puts a running server under load and looks for what it leaves behind.
//
//   ./mixtral serve --port 8080 &
//   node bench/load/load.mjs --url http://127.0.0.1:8080 --pid $! --clients 64 --minutes 10 --seed 1
//
// Each client sends one request after the other: streams and whole answers, short and long, with a common system
// prompt or none; a share of them hangs up in the middle. Every minute, and at the end when all is quiet, it prints
// what the process holds: resident memory, threads, file descriptors (from /proc, so on Linux) and the server's own
// counts of running and waiting requests and used blocks. The exit code is 1 if a request failed in another way than
// 429, or if something was left at the end. Needs Node 20 and nothing else.
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    pid: { type: 'string' },
    clients: { type: 'string', default: '64' },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const numClients = Number(options.clients);
const endMillis = Date.now() + Number(options.minutes) * 60_000;

const SYSTEM = 'You are a careful assistant of a small shop. Answer in one or two short sentences. '.repeat(8);
const PROMPTS = [
  'What is 87 + 43?',
  'Translate into German: The cat sleeps in the garden.',
  'Sort these words: pear, apple, fig.',
  'Is this review positive or negative? The soup was cold.',
  'Write a function that adds two numbers.',
  'Who are you?',
];

/** A small generator (mulberry32), so that a run can be repeated. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const totals = { requests: 0, hungUp: 0, busy: 0, failed: 0, tokens: 0 };
const firstTokenMillis = [];
const failures = new Map();

async function client(number) {
  const next = random(Number(options.seed) * 1000 + number);
  while (Date.now() < endMillis) {
    totals.requests++;
    try {
      await request(next);
    } catch (e) {
      totals.failed++;
      const reason = `${e.message} ${e.cause?.code ?? ''}`.trim();
      failures.set(reason, (failures.get(reason) ?? 0) + 1);
    }
  }
}

async function request(next) {
  const stream = next() < 0.8;
  const hangUpAfter = next() < 0.25 ? Math.floor(next() * 20) : Infinity;
  const messages = [{ role: 'user', content: PROMPTS[Math.floor(next() * PROMPTS.length)] }];
  if (next() < 0.5) messages.unshift({ role: 'system', content: SYSTEM });
  const abort = new AbortController();
  const started = performance.now();
  // Whole answers are given up after a while, as there are no pieces to count.
  const timer = stream || hangUpAfter === Infinity ? null : setTimeout(() => abort.abort(), hangUpAfter * 20);
  try {
    const response = await fetch(`${options.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal: abort.signal,
      body: JSON.stringify({
        model: 'mixtral-tiny',
        messages,
        stream,
        stream_options: stream ? { include_usage: true } : undefined,
        max_tokens: 8 + Math.floor(next() * 120),
        temperature: next() < 0.5 ? 0 : 1,
        seed: Math.floor(next() * 1000),
      }),
    });
    if (response.status === 429) {
      totals.busy++;
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 200 + next() * 800));
      return;
    }
    if (!response.ok) throw new Error(`status ${response.status}: ${(await response.text()).slice(0, 200)}`);
    if (!stream) {
      totals.tokens += (await response.json()).usage.completion_tokens;
      return;
    }
    await readStream(response, started, hangUpAfter, abort);
  } catch (e) {
    if (!abort.signal.aborted) throw e;
    totals.hungUp++;
  } finally {
    clearTimeout(timer);
  }
}

async function readStream(response, started, hangUpAfter, abort) {
  let pieces = 0;
  let text = '';
  for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event === 'data: [DONE]') return;
      if (!event.startsWith('data: ')) continue;
      const chunk = JSON.parse(event.slice(6));
      if (chunk.error) throw new Error(`in the stream: ${chunk.error.message}`);
      if (chunk.usage) totals.tokens += chunk.usage.completion_tokens;
      if (!chunk.choices[0]?.delta?.content) continue;
      if (pieces++ === 0) firstTokenMillis.push(performance.now() - started);
      if (pieces > hangUpAfter) abort.abort();
    }
  }
  throw new Error('a stream ended without [DONE]');
}

async function metrics() {
  const text = await (await fetch(`${options.url}/metrics`)).text();
  const value = (name) => {
    const lines = text.split('\n').filter((line) => !line.startsWith('#') && line.split(/[{ ]/)[0].endsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  };
  return {
    running: value('requests_running'),
    waiting: value('requests_waiting'),
    kvUsage: value('kv_cache_usage_ratio'),
    heapMiB: Math.round(value('jvm_memory_used_bytes') / 2 ** 20),
  };
}

function processState() {
  if (!options.pid) return {};
  const status = readFileSync(`/proc/${options.pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return {
    rssMiB: Math.round(field('VmRSS') / 1024),
    threads: field('Threads'),
    files: readdirSync(`/proc/${options.pid}/fd`).length,
  };
}

async function report(label) {
  const state = { ...processState(), ...(await metrics()) };
  console.log(label, JSON.stringify({ ...totals, ...state }));
  return state;
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

const startMillis = Date.now();
await report('before');
const timer = setInterval(() => report(`${Math.round((Date.now() - startMillis) / 1000)} s`), 60_000);
await Promise.all(Array.from({ length: numClients }, (_, i) => client(i)));
clearInterval(timer);
const seconds = (Date.now() - startMillis) / 1000;
await new Promise((resolve) => setTimeout(resolve, 3000));
const after = await report('after');
console.log(
  `${numClients} clients, ${seconds.toFixed(0)} s: ${(totals.tokens / seconds).toFixed(0)} tokens/s,`
    + ` first token p50 ${quantile(firstTokenMillis, 0.5).toFixed(0)} ms, p99`
    + ` ${quantile(firstTokenMillis, 0.99).toFixed(0)} ms`,
);
for (const [reason, count] of failures) console.log(`${count} × ${reason}`);
process.exit(totals.failed > 0 || after.running > 0 || after.waiting > 0 || after.kvUsage > 0 ? 1 : 0);
