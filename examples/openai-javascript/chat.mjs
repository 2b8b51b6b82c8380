import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: `${process.env.MIXTRAL_URL ?? 'http://127.0.0.1:8080'}/v1`,
  apiKey: process.env.MIXTRAL_API_KEY ?? 'none',
});
const model = process.env.MIXTRAL_MODEL ?? 'mixtral-tiny';

const answer = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: 'Name the language: He comprado tres cartas en el restaurante.' }],
  temperature: 0,
});
console.log(answer.choices[0].message.content, `(${answer.usage.total_tokens} tokens)`);

const stream = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: 'Tell me a short story.' }],
  temperature: 0.7,
  seed: 1,
  stream: true,
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? '');
}
console.log();

// The SDK calls the function, sends its result back, and goes on until there is an answer.
const runner = client.chat.completions.runTools({
  model,
  messages: [{ role: 'user', content: 'What is the weather in Vienna?' }],
  temperature: 0,
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'Weather of a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        parse: JSON.parse,
        function: ({ city }) => {
          console.log(`get_weather was called for ${city}`);
          return { sky: 'sunny', degrees: 20 };
        },
      },
    },
  ],
});
console.log(await runner.finalContent());
