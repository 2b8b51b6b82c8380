// Tokens per second of a running server's streams, with and without a schema.
//
//   ./mixtral serve --port 8080 &
//   node bench/load/structured.mjs --url http://127.0.0.1:8080 --tokens 200 --rounds 10
//
// Free answers are kept from ending, bound ones have a schema that asks for more than the limit. One stream at a time,
// then several at once; free and bound rounds take turns, so that both meet the same machine. Speed counts from the
// first chunk with text to the last. Needs Node 20 and nothing else.
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    tokens: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '10' },
    streams: { type: 'string', default: '4' },
    temperature: { type: 'string', default: '0' },
    eos: { type: 'string', default: '2' },
  },
});
const SCHEMA = {
  type: 'array',
  minItems: 500,
  items: {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 20 },
      age: { type: 'integer', minimum: 0, maximum: 120 },
      tags: { type: 'array', items: { enum: ['red', 'green', 'blue'] }, maxItems: 3 },
    },
    required: ['name', 'age', 'tags'],
    additionalProperties: false,
  },
};
const model = (await (await fetch(`${options.url}/v1/models`)).json()).data[0].id;

/** Returns tokens and seconds of one stream, from its first text to its last. */
async function stream(bound, seed) {
  const response = await fetch(`${options.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'List the people of a small town.' }],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: Number(options.tokens),
      temperature: Number(options.temperature),
      seed,
      ...(bound
        ? { response_format: { type: 'json_schema', json_schema: { name: 'people', schema: SCHEMA } } }
        : { logit_bias: { [options.eos]: -100 } }),
    }),
  });
  if (!response.ok) throw new Error(await response.text());
  let text = '';
  let first = 0;
  let last = 0;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (chunk.includes('"content":')) {
      last = performance.now();
      first ||= last;
    }
  }
  const usage = JSON.parse(text.match(/"usage":(\{.*\})\}/)[1]);
  return { tokens: usage.completion_tokens, seconds: (last - first) / 1000 };
}

async function round(bound, streams, seed) {
  const results = await Promise.all(Array.from({ length: streams }, (_, i) => stream(bound, seed * 100 + i)));
  const tokens = results.reduce((sum, result) => sum + result.tokens, 0);
  return tokens / Math.max(...results.map((result) => result.seconds));
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
for (const streams of [1, Number(options.streams)]) {
  const speeds = { false: [], true: [] };
  for (let i = -2; i < Number(options.rounds); i++) {
    for (const bound of [false, true]) {
      const speed = await round(bound, streams, i + 2);
      if (i >= 0) speeds[bound].push(speed);
    }
  }
  const [free, bound] = [median(speeds.false), median(speeds.true)];
  console.log(
    `${streams} stream(s): free ${free.toFixed(1)} tokens/s, with a schema ${bound.toFixed(1)} tokens/s` +
      ` (${((bound / free - 1) * 100).toFixed(1)} %, ${((1 / bound - 1 / free) * 1e6).toFixed(0)} us a token)`,
  );
}
