import { Mistral } from '@mistralai/mistralai';

const client = new Mistral({
  serverURL: process.env.MIXTRAL_URL ?? 'http://127.0.0.1:8080',
  apiKey: process.env.MIXTRAL_API_KEY ?? 'none',
});
const model = process.env.MIXTRAL_MODEL ?? 'mixtral-tiny';

const answer = await client.chat.complete({
  model,
  messages: [{ role: 'user', content: 'Name the language: He comprado tres cartas en el restaurante.' }],
  temperature: 0,
});
console.log(answer.choices[0].message.content, `(${answer.usage.totalTokens} tokens)`);

const stream = await client.chat.stream({
  model,
  messages: [{ role: 'user', content: 'Tell me a short story.' }],
  temperature: 0.7,
  randomSeed: 1,
});
for await (const event of stream) {
  process.stdout.write(event.data.choices[0].delta.content ?? '');
}
console.log();

// Mistral's `prefix`: the answer begins with this text.
const prefixed = await client.chat.complete({
  model,
  messages: [
    { role: 'user', content: 'Madrid is the capital of which country?' },
    { role: 'assistant', content: 'Madrid is', prefix: true },
  ],
  temperature: 0,
});
console.log(prefixed.choices[0].message.content);
