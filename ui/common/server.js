// Requests to the server, and the sentence of each that fails: gradio's own functions do not say why.
import { language, say } from "./texts.js";

const SESSION = Math.random().toString(36).slice(2);
// Status without a sentence of the server, which is that of a proxy, to the key of its sentence.
const KEYS = {
  404: "server.unknown",
  408: "server.slow",
  413: "failed.large",
  422: "server.unknown",
  429: "request.busy",
  502: "failed.proxy",
  503: "failed.proxy",
  504: "failed.proxy",
  507: "server.upload.full",
};

// The key and the values of a sentence, and the status of the response; 0 without one.
export class Failure extends Error {
  constructor(key, values = {}, status = 0) {
    super(key);
    Object.assign(this, { key, values, status });
  }
}

// The sentence of a failure in the language of the page.
export function sentence(error) {
  if (error instanceof Failure) return say(error.key, error.values);
  console.error(error);
  return say("failed.page");
}

// The response of a component's server function. Throws Failure.
export function call(name, data) {
  const { id } = window.gradio_config.components.find(({ props }) => props.server_fns?.includes(name));
  const body = JSON.stringify({ data, component_id: id, fn_name: name, session_hash: SESSION });
  return post("component_server", body, { "Content-Type": "application/json" });
}

// The name under which the server keeps a file. Throws Failure.
export async function upload(file) {
  const form = new FormData();
  form.append("files", file);
  const [name] = await post("upload", form);
  return name;
}

async function post(path, body, headers = {}) {
  const { status, text } = await responseTo(path, { method: "POST", body, headers: { "Accept-Language": language, ...headers } });
  const content = parsed(text);
  if (status === 200 && content !== undefined) return content;
  if (typeof content?.detail === "string") throw new Failure("failed.said", { why: content.detail }, status);
  throw new Failure(KEYS[status] ?? (status === 200 ? "failed.other" : "failed.status"), { status }, status);
}

async function responseTo(path, options) {
  try {
    const response = await fetch(new URL(`gradio_api/${path}`, document.baseURI), options);
    return { status: response.status, text: await response.text() };
  } catch {
    throw new Failure("failed.offline");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
