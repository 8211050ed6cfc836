// How each client protocol asks and answers, as far as the playground needs it: where to, a body, and the text in what came back.

const TOOL = {
  name: "get_weather",
  description: "The weather at a place now.",
  parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
};

// The JSON values in what has come so far: a whole body, or the data of server-sent events or lines that are complete.
function values(came) {
  const lines = came.split(/\r?\n/);
  const found = [];
  for (const line of lines) {
    const text = line.startsWith("data:") ? line.slice(5) : line.startsWith("{") ? line : "";
    try {
      if (text.trim()) found.push(JSON.parse(text));
    } catch {
      continue; // not complete yet, or the end mark
    }
  }
  if (found.length) return found;
  try {
    const whole = JSON.parse(came);
    return Array.isArray(whole) ? whole : [whole];
  } catch {
    return [];
  }
}

const call = (name, given) => `\n→ ${name}(${typeof given === "string" ? given : JSON.stringify(given)})\n`;
const error = (value) => (value.error ? `\n⚠ ${value.error.message || value.error}\n` : "");
const reading = (text) => (came) => values(came).map((value) => error(value) || text(value) || "").join("");

// The wanted settings under the protocol's own names; those that are left empty are not sent.
const wanted = ({ temperature, most }, [forTemperature, forMost]) => ({
  ...(temperature !== "" && { [forTemperature]: Number(temperature) }),
  ...(most !== "" && { [forMost]: Number(most) }),
});

const data = (picture) => picture.slice(picture.indexOf(",") + 1);
const type = (picture) => picture.slice("data:".length, picture.indexOf(";"));

export const PROTOCOLS = {
  "openai-chat": {
    title: "OpenAI Chat",
    path: () => "/v1/chat/completions",
    body: ({ model, system, words, picture, stream, tool, ...more }) => ({
      model,
      stream,
      ...wanted(more, ["temperature", "max_completion_tokens"]),
      messages: [
        ...(system ? [{ role: "system", content: system }] : []),
        { role: "user", content: picture ? [{ type: "text", text: words }, { type: "image_url", image_url: { url: picture } }] : words },
      ],
      ...(tool && { tools: [{ type: "function", function: TOOL }] }),
    }),
    read: reading((value) => (value.choices || []).map((choice) => {
      const said = choice.delta || choice.message || {};
      const calls = (said.tool_calls || []).map((each) => (each.function.name ? call(each.function.name, each.function.arguments || "") : each.function.arguments || ""));
      return (said.reasoning_content || "") + (said.content || "") + calls.join("");
    }).join("")),
  },
  "openai-responses": {
    title: "OpenAI Responses",
    path: () => "/v1/responses",
    body: ({ model, system, words, picture, stream, tool, ...more }) => ({
      model,
      stream,
      ...wanted(more, ["temperature", "max_output_tokens"]),
      ...(system && { instructions: system }),
      input: picture ? [{ role: "user", content: [{ type: "input_text", text: words }, { type: "input_image", image_url: picture }] }] : words,
      ...(tool && { tools: [{ type: "function", ...TOOL }] }),
    }),
    read: reading((value) => {
      if (value.type === "response.output_text.delta") return value.delta;
      if (value.type === "response.output_item.done" && value.item.type === "function_call") return call(value.item.name, value.item.arguments);
      if (value.object !== "response") return "";
      return value.output.map((item) => (item.type === "function_call" ? call(item.name, item.arguments) : (item.content || []).map((part) => part.text || "").join(""))).join("");
    }),
  },
  anthropic: {
    title: "Anthropic Messages",
    path: () => "/v1/messages",
    body: ({ model, system, words, picture, stream, tool, ...more }) => ({
      model,
      max_tokens: 1024,
      stream,
      ...wanted(more, ["temperature", "max_tokens"]),
      ...(system && { system }),
      messages: [{
        role: "user",
        content: picture ? [{ type: "image", source: { type: "base64", media_type: type(picture), data: data(picture) } }, { type: "text", text: words }] : words,
      }],
      ...(tool && { tools: [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.parameters }] }),
    }),
    read: reading((value) => {
      if (value.type === "content_block_start" && value.content_block.type === "tool_use") return `\n→ ${value.content_block.name} `;
      if (value.type === "content_block_delta") return value.delta.text || value.delta.thinking || value.delta.partial_json;
      return (value.content || []).map((block) => (block.type === "tool_use" ? call(block.name, block.input) : block.text || block.thinking || "")).join("");
    }),
  },
  gemini: {
    title: "Gemini",
    path: ({ model, stream }) => `/v1beta/models/${encodeURIComponent(model)}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    body: ({ system, words, picture, tool, ...more }) => ({
      ...(system && { systemInstruction: { parts: [{ text: system }] } }),
      contents: [{ role: "user", parts: [{ text: words }, ...(picture ? [{ inlineData: { mimeType: type(picture), data: data(picture) } }] : [])] }],
      ...((more.temperature || more.most) && { generationConfig: wanted(more, ["temperature", "maxOutputTokens"]) }),
      ...(tool && { tools: [{ functionDeclarations: [TOOL] }] }),
    }),
    read: reading((value) => (value.candidates || []).flatMap((candidate) => candidate.content?.parts || [])
      .map((part) => (part.functionCall ? call(part.functionCall.name, part.functionCall.args) : part.text || "")).join("")),
  },
  ollama: {
    title: "Ollama",
    path: () => "/api/chat",
    body: ({ model, system, words, picture, stream, tool, ...more }) => ({
      model,
      stream,
      ...((more.temperature || more.most) && { options: wanted(more, ["temperature", "num_predict"]) }),
      messages: [
        ...(system ? [{ role: "system", content: system }] : []),
        { role: "user", content: words, ...(picture && { images: [data(picture)] }) },
      ],
      ...(tool && { tools: [{ type: "function", function: TOOL }] }),
    }),
    read: reading((value) => {
      const said = value.message || {};
      return (said.thinking || "") + (said.content || "") + (said.tool_calls || []).map((each) => call(each.function.name, each.function.arguments)).join("");
    }),
  },
};
