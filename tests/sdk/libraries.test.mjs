// Libraries that stand on the providers' own formats: Vercel's `ai` with four of its providers, LangChain
// with two, and Mistral's own, each before providers of other formats.
import assert from 'node:assert/strict';
import { generateText, generateObject, streamText, tool, jsonSchema, stepCountIs } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { tool as chainTool } from '@langchain/core/tools';
import { HumanMessage } from '@langchain/core/messages';
import { Mistral } from '@mistralai/mistralai';
import { test, setup } from '../lib/story.mjs';
import { startSpeaker, upstreams, figures, city } from '../lib/speaker.mjs';
import { citySchema, pixel, weather } from '../lib/clients.mjs';
import { addModel, booksBalance, installationOfFormats, served } from '../lib/installation.mjs';

let server, speaker, key;
const models = upstreams.map((u) => `by-${u.format}`);
const question = 'What is the weather in Paris and Rome?';
const told = 'The weather: Paris is sunny and Rome is sunny.';

setup('an installation with an account for each format', async () => {
  speaker = await startSpeaker();
  ({ server, key } = await installationOfFormats(speaker, upstreams, {
    more: (operator, accounts) => addModel(operator, { name: 'lenient', fields: { drop_unsupported: 'on' }, targets: [{ account: accounts.gemini, upstreamModel: 'scripted-1' }] }),
  }));
  await served(server, key, 'lenient');
});

// --- Vercel's ai ---

const vercel = {
  '@ai-sdk/openai': (model) => createOpenAI({ apiKey: key, baseURL: `${server.url}/v1` })(model),
  '@ai-sdk/openai chat': (model) => createOpenAI({ apiKey: key, baseURL: `${server.url}/v1` }).chat(model),
  '@ai-sdk/anthropic': (model) => createAnthropic({ apiKey: key, baseURL: `${server.url}/v1` })(model),
  '@ai-sdk/google': (model) => createGoogleGenerativeAI({ apiKey: key, baseURL: `${server.url}/v1beta` })(model),
  '@ai-sdk/openai-compatible': (model) => createOpenAICompatible({ name: 'tollgate', apiKey: key, baseURL: `${server.url}/v1`, includeUsage: true, supportsStructuredOutputs: true })(model),
};
const weatherTool = () => tool({
  description: weather.description, inputSchema: jsonSchema(weather.schema), execute: async ({ city: name }) => `${name} is sunny`,
});
const settings = { maxOutputTokens: 200, maxRetries: 0 };

for (const [name, make] of Object.entries(vercel))
  for (const model of models) {
    test(`${name} before ${model}: text and figures`, async () => {
      const r = await generateText({ ...settings, model: make(model), prompt: 'Hello' });
      assert.equal(r.text, 'Hello there.');
      assert.equal(r.usage.inputTokens, figures.input);
      assert.equal(r.usage.outputTokens, figures.output);
      assert.equal(r.finishReason, 'stop');
    });
    test(`${name} before ${model}: a stream`, async () => {
      const r = streamText({ ...settings, model: make(model), prompt: 'Hello' });
      let text = '';
      for await (const piece of r.textStream) text += piece;
      assert.equal(text, 'Hello there.');
      assert.equal((await r.usage).outputTokens, figures.output);
    });
    test(`${name} before ${model}: tools until the answer`, async () => {
      const r = await generateText({ ...settings, model: make(model), prompt: question, tools: { get_weather: weatherTool() }, stopWhen: stepCountIs(3) });
      assert.equal(r.text, told);
      assert.equal(r.steps.length, 2);
      const s = streamText({ ...settings, model: make(model), prompt: question, tools: { get_weather: weatherTool() }, stopWhen: stepCountIs(3) });
      assert.equal(await s.text, told);
    });
    test(`${name} before ${model}: an object`, async () => {
      let serving = model;
      // @ai-sdk/anthropic makes a tool of the schema and forbids parallel calls, which Google and Amazon cannot.
      if (name === '@ai-sdk/anthropic' && ['by-gemini', 'by-bedrock'].includes(model)) {
        await assert.rejects(generateObject({ ...settings, model: make(model), prompt: 'Which city?', schema: jsonSchema(citySchema) }), /disable_parallel_tool_use/);
        serving = 'lenient';
      }
      const r = await generateObject({ ...settings, model: make(serving), prompt: 'Which city?', schema: jsonSchema(citySchema) });
      assert.deepEqual(r.object, city);
    });
    test(`${name} before ${model}: an image`, async () => {
      const content = [{ type: 'text', text: 'What is it?' }, { type: 'image', image: Buffer.from(pixel, 'base64'), mediaType: 'image/png' }];
      const r = await generateText({ ...settings, model: make(model), messages: [{ role: 'user', content }] });
      assert.equal(r.text, 'I see 1 image.');
    });
    test(`${name} before ${model}: an error`, async () => {
      await assert.rejects(generateText({ ...settings, model: make(model), prompt: 'Please fail' }), (e) => e.statusCode === 400 && /scripted refusal/.test(e.message));
    });
  }

// --- LangChain ---

const chains = {
  '@langchain/openai': (model) => new ChatOpenAI({ model, apiKey: key, maxRetries: 0, maxTokens: 200, configuration: { baseURL: `${server.url}/v1` } }),
  '@langchain/anthropic': (model) => new ChatAnthropic({ model, apiKey: key, maxRetries: 0, maxTokens: 200, anthropicApiUrl: server.url }),
};

for (const [name, make] of Object.entries(chains))
  for (const model of models)
    test(`${name} before ${model}: text, stream, tools in two rounds`, async () => {
      const chat = make(model);
      assert.equal((await chat.invoke('Hello')).content, 'Hello there.');
      let text = '';
      for await (const piece of await chat.stream('Hello')) text += typeof piece.content === 'string' ? piece.content : piece.content.map((p) => p.text ?? '').join('');
      assert.equal(text, 'Hello there.');
      const getWeather = chainTool(async ({ city: where }) => `${where} is sunny`, { name: weather.name, description: weather.description, schema: weather.schema });
      const asked = [new HumanMessage(question)];
      const first = await chat.bindTools([getWeather]).invoke(asked);
      assert.deepEqual(first.tool_calls.map((c) => c.args.city), ['Paris', 'Rome']);
      const results = [];
      for (const c of first.tool_calls) results.push(await getWeather.invoke(c));
      const second = await chat.bindTools([getWeather]).invoke([...asked, first, ...results]);
      assert.equal(second.content, told);
    });

// --- Mistral ---

for (const model of models)
  test(`@mistralai/mistralai before ${model}: text, stream, tools in two rounds, an object, an image, an error`, async () => {
    const client = new Mistral({ apiKey: key, serverURL: server.url, retryConfig: { strategy: 'none' } });
    const ask = { model, maxTokens: 200, messages: [{ role: 'user', content: 'Hello' }] };
    const r = await client.chat.complete(ask);
    assert.equal(r.choices[0].message.content, 'Hello there.');
    assert.equal(r.usage.promptTokens, figures.input);
    let text = '';
    for await (const e of await client.chat.stream(ask)) text += e.data.choices[0]?.delta?.content ?? '';
    assert.equal(text, 'Hello there.');
    const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
    const called = await client.chat.complete({ ...ask, tools, messages: [{ role: 'user', content: question }] });
    const { toolCalls } = called.choices[0].message;
    assert.deepEqual(toolCalls.map((c) => JSON.parse(c.function.arguments).city), ['Paris', 'Rome']);
    const results = toolCalls.map((c) => ({ role: 'tool', toolCallId: c.id, name: c.function.name, content: `${JSON.parse(c.function.arguments).city} is sunny` }));
    const second = await client.chat.complete({ ...ask, tools, messages: [{ role: 'user', content: question }, { role: 'assistant', content: '', toolCalls }, ...results] });
    assert.equal(second.choices[0].message.content, told);
    const object = await client.chat.complete({ ...ask, messages: [{ role: 'user', content: 'Which city?' }], responseFormat: { type: 'json_schema', jsonSchema: { name: 'city', schemaDefinition: citySchema, strict: true } } });
    assert.deepEqual(JSON.parse(object.choices[0].message.content), city);
    const image = await client.chat.complete({ ...ask, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', imageUrl: `data:image/png;base64,${pixel}` }] }] });
    assert.equal(image.choices[0].message.content, 'I see 1 image.');
    await assert.rejects(client.chat.complete({ ...ask, messages: [{ role: 'user', content: 'Please fail' }] }), (e) => e.statusCode === 400 && /scripted refusal/.test(e.message));
  });

test('the books balance', async () => { booksBalance(server); });
