// A tool loop over plain HTTP: the model must call a tool first, and may call more until it answers in words.
//
//     ./mixtral serve &
//     node tools.mjs "What is the weather in Rome?"

const url = `${process.env.BASE_URL ?? "http://127.0.0.1:8080/v1"}/chat/completions`;
const question = process.argv[2] ?? "What is the weather in Rome?";

const parameters = (name) => ({ type: "object", properties: { [name]: { type: "string" } }, required: [name] });
const tools = [
  { name: "get_weather", description: "Weather of a city", parameters: parameters("city") },
  { name: "get_price", description: "Price of a product", parameters: parameters("product") },
].map((definition) => ({ type: "function", function: definition }));

const implementations = {
  get_weather: ({ city }) => ({ city, weather: "sunny", temperature: 21 }),
  get_price: ({ product }) => ({ product, price: 30, currency: "euros" }),
};

const messages = [{ role: "user", content: question }];
for (let round = 0; round < 5; round++) {
  const tool_choice = round === 0 ? "required" : "auto";
  const body = JSON.stringify({ model: "mixtral-tiny", temperature: 0, messages, tools, tool_choice });
  const response = await fetch(url, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  const { message } = answer.choices[0];
  messages.push(message);
  if (!message.tool_calls) {
    console.log(message.content);
    break;
  }
  for (const { id, function: call } of message.tool_calls) {
    // No check is needed: the arguments are JSON and fit the tool's parameters.
    const result = JSON.stringify(implementations[call.name](JSON.parse(call.arguments)));
    console.log(`${call.name}(${call.arguments}) = ${result}`);
    messages.push({ role: "tool", tool_call_id: id, content: result });
  }
}
