// clients.mjs: official client libraries, each as the same few questions, so that one story can put any
// of them before any provider. Every function returns {text, calls: [{name, input}], usage: {input,
// output}} of an answer; `fails` returns the library's own error. Nothing is changed but the base URL.
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';

export const weather = {
  name: 'get_weather', description: 'The weather of a city',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};
export const citySchema = { type: 'object', properties: { name: { type: 'string' }, people: { type: 'integer' } }, required: ['name', 'people'], additionalProperties: false };
// One red pixel.
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';
const resultOf = (call) => `${call.input.city} is sunny`;

// --- openai: chat completions ---

export function openaiChat(url, key, model) {
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
  const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
  const callsOf = (m) => (m.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, input: JSON.parse(c.function.arguments) }));
  const answer = (r) => ({
    text: r.choices[0].message.content ?? '', calls: callsOf(r.choices[0].message), finish: r.choices[0].finish_reason,
    usage: { input: r.usage.prompt_tokens, output: r.usage.completion_tokens },
  });
  const create = (content, more = {}) => client.chat.completions.create({ model, max_tokens: 200, messages: [{ role: 'user', content }], ...more });
  async function gather(stream) {
    const out = { text: '', calls: [] };
    for await (const part of stream) {
      const delta = part.choices[0]?.delta;
      out.text += delta?.content ?? '';
      for (const c of delta?.tool_calls ?? []) {
        out.calls[c.index] ??= { id: c.id, name: c.function.name, arguments: '' };
        out.calls[c.index].arguments += c.function.arguments ?? '';
      }
      out.finish = part.choices[0]?.finish_reason ?? out.finish;
      if (part.usage) out.usage = { input: part.usage.prompt_tokens, output: part.usage.completion_tokens };
    }
    out.calls = out.calls.map((c) => ({ id: c.id, name: c.name, input: JSON.parse(c.arguments) }));
    return out;
  }
  const streamed = (content, more = {}) => create(content, { stream: true, stream_options: { include_usage: true }, ...more });
  return {
    text: async (q) => answer(await create(q)),
    stream: async (q) => gather(await streamed(q)),
    toolCalls: async (q) => answer(await create(q, { tools })),
    toolCallsStreamed: async (q) => gather(await streamed(q, { tools })),
    afterTools: async (q, calls) => answer(await client.chat.completions.create({
      model, max_tokens: 200, tools, messages: [
        { role: 'user', content: q },
        { role: 'assistant', content: null, tool_calls: calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: JSON.stringify(c.input) } })) },
        ...calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: resultOf(c) })),
      ],
    })),
    structured: async (q) => answer(await create(q, { response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: citySchema } } })),
    image: async (q) => answer(await create([{ type: 'text', text: q }, { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } }])),
    abort: async (q, afterPieces) => {
      const stream = await streamed(q);
      let n = 0;
      for await (const part of stream) if (part.choices[0]?.delta?.content && ++n >= afterPieces) break;
      stream.controller.abort();
      return n;
    },
    errorOf: async (q) => { try { await create(q); } catch (e) { return { status: e.status, message: e.message }; } },
  };
}

// --- openai: responses ---

export function openaiResponses(url, key, model) {
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
  const tools = [{ type: 'function', name: weather.name, description: weather.description, parameters: weather.schema, strict: true }];
  const answer = (r) => ({
    text: r.output_text, calls: r.output.filter((i) => i.type === 'function_call').map((c) => ({ id: c.call_id, name: c.name, input: JSON.parse(c.arguments) })),
    finish: r.status, usage: { input: r.usage.input_tokens, output: r.usage.output_tokens },
  });
  const create = (input, more = {}) => client.responses.create({ model, max_output_tokens: 200, store: false, input, ...more });
  async function gather(stream) {
    let text = '', last;
    for await (const e of stream) {
      if (e.type === 'response.output_text.delta') text += e.delta;
      if (e.type === 'response.completed') last = e.response;
    }
    // The library fills output_text only into answers that come whole.
    const said = last.output.flatMap((i) => i.content ?? []).filter((p) => p.type === 'output_text').map((p) => p.text).join('');
    if (said !== text) throw new Error(`the pieces say "${text}", the whole says "${said}"`);
    return { ...answer({ ...last, output_text: text }) };
  }
  return {
    text: async (q) => answer(await create(q)),
    stream: async (q) => gather(await create(q, { stream: true })),
    toolCalls: async (q) => answer(await create(q, { tools })),
    toolCallsStreamed: async (q) => gather(await create(q, { tools, stream: true })),
    afterTools: async (q, calls) => answer(await create([
      { role: 'user', content: q },
      ...calls.map((c) => ({ type: 'function_call', call_id: c.id, name: c.name, arguments: JSON.stringify(c.input) })),
      ...calls.map((c) => ({ type: 'function_call_output', call_id: c.id, output: resultOf(c) })),
    ], { tools })),
    structured: async (q) => answer(await create(q, { text: { format: { type: 'json_schema', name: 'city', strict: true, schema: citySchema } } })),
    image: async (q) => answer(await create([{ role: 'user', content: [{ type: 'input_text', text: q }, { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${pixel}` }] }])),
    abort: async (q, afterPieces) => {
      const stream = await create(q, { stream: true });
      let n = 0;
      for await (const e of stream) if (e.type === 'response.output_text.delta' && ++n >= afterPieces) break;
      stream.controller.abort();
      return n;
    },
    errorOf: async (q) => { try { await create(q); } catch (e) { return { status: e.status, message: e.message }; } },
  };
}

// --- @anthropic-ai/sdk ---

export function anthropicMessages(url, key, model) {
  const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
  const tools = [{ name: weather.name, description: weather.description, input_schema: weather.schema }];
  const answer = (r) => ({
    text: r.content.filter((b) => b.type === 'text').map((b) => b.text).join(''),
    calls: r.content.filter((b) => b.type === 'tool_use').map((b) => ({ id: b.id, name: b.name, input: b.input })),
    finish: r.stop_reason, usage: { input: r.usage.input_tokens, output: r.usage.output_tokens },
  });
  const body = (content, more = {}) => ({ model, max_tokens: 200, messages: [{ role: 'user', content }], ...more });
  const create = (content, more) => client.messages.create(body(content, more));
  const gather = async (content, more) => answer(await client.messages.stream(body(content, more)).finalMessage());
  return {
    text: async (q) => answer(await create(q)),
    stream: (q) => gather(q),
    toolCalls: async (q) => answer(await create(q, { tools })),
    toolCallsStreamed: (q) => gather(q, { tools }),
    afterTools: async (q, calls) => answer(await client.messages.create({
      model, max_tokens: 200, tools, messages: [
        { role: 'user', content: q },
        { role: 'assistant', content: calls.map((c) => ({ type: 'tool_use', id: c.id, name: c.name, input: c.input })) },
        { role: 'user', content: calls.map((c) => ({ type: 'tool_result', tool_use_id: c.id, content: resultOf(c) })) },
      ],
    })),
    structured: async (q) => answer(await create(q, { output_config: { format: { type: 'json_schema', schema: citySchema } } })),
    image: async (q) => answer(await create([{ type: 'text', text: q }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }])),
    abort: async (q, afterPieces) => {
      const stream = client.messages.stream(body(q));
      let n = 0;
      for await (const e of stream) if (e.type === 'content_block_delta' && ++n >= afterPieces) break;
      stream.abort();
      return n;
    },
    errorOf: async (q) => { try { await create(q); } catch (e) { return { status: e.status, message: e.message }; } },
  };
}

// --- @google/genai ---

export function googleGenai(url, key, model) {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const tools = [{ functionDeclarations: [{ name: weather.name, description: weather.description, parametersJsonSchema: weather.schema }] }];
  const partsOf = (r) => r.candidates?.[0]?.content?.parts ?? [];
  const add = (out, r) => {
    out.text += partsOf(r).map((p) => p.text ?? '').join('');
    for (const p of partsOf(r)) if (p.functionCall) out.calls.push({ id: p.functionCall.id, name: p.functionCall.name, input: p.functionCall.args, part: p });
    out.finish = r.candidates?.[0]?.finishReason ?? out.finish;
    if (r.usageMetadata) out.usage = { input: r.usageMetadata.promptTokenCount, output: r.usageMetadata.candidatesTokenCount };
    return out;
  };
  const ask = (contents, config = {}) => ({ model, contents, config: { maxOutputTokens: 200, ...config } });
  const create = async (contents, config) => add({ text: '', calls: [] }, await client.models.generateContent(ask(contents, config)));
  async function gather(contents, config) {
    const out = { text: '', calls: [] };
    for await (const r of await client.models.generateContentStream(ask(contents, config))) add(out, r);
    return out;
  }
  return {
    text: (q) => create(q),
    stream: (q) => gather(q),
    toolCalls: (q) => create(q, { tools }),
    toolCallsStreamed: (q) => gather(q, { tools }),
    afterTools: (q, calls) => create([
      { role: 'user', parts: [{ text: q }] },
      { role: 'model', parts: calls.map((c) => c.part) },
      { role: 'user', parts: calls.map((c) => ({ functionResponse: { id: c.id, name: c.name, response: { output: resultOf(c) } } })) },
    ], { tools }),
    structured: (q) => create(q, { responseMimeType: 'application/json', responseJsonSchema: citySchema }),
    image: (q) => create([{ role: 'user', parts: [{ text: q }, { inlineData: { mimeType: 'image/png', data: pixel } }] }]),
    abort: async (q, afterPieces) => {
      const leave = new AbortController();
      let n = 0;
      try {
        for await (const r of await client.models.generateContentStream(ask(q, { abortSignal: leave.signal }))) {
          if (partsOf(r).length && ++n >= afterPieces) break;
        }
      } finally { leave.abort(); }
      return n;
    },
    errorOf: async (q) => { try { await create(q); } catch (e) { return { status: e.status, message: e.message }; } },
  };
}
