// The management API, as pages ask for it: JSON in, JSON out, errors thrown as ApiError with the sentence the API gives.

import { said, t } from "./words.js";

const ROOT = "/v0/management";

let csrf = "";
let signedOut = () => {};
let reached = () => {};

export class ApiError extends Error {
  constructor(status, told) {
    super(told.error ? said("error", told.code, told.error) : `HTTP ${status}`);
    this.status = status;
    this.code = told.code;
    this.told = told;
  }
}

// Called when the session has ended, wherever that is noticed.
export function whenSignedOut(then) {
  signedOut = then;
}

// Called with whether the gateway answers, whatever it says, at every request.
export function whenReached(then) {
  reached = then;
}

// The raw answer, for downloads and texts. `body` is sent as JSON unless it is a text, a File or the like.
export async function ask(method, path, { query, body, headers, signal } = {}) {
  const given = Object.entries(query || {}).filter(([, value]) => value !== undefined && value !== "");
  const url = `${ROOT}${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
  const plain = body === undefined || typeof body === "string" || body instanceof Blob || body instanceof FormData;
  const sent = new Headers(headers);
  if (!plain) sent.set("content-type", "application/json");
  if (method !== "GET") sent.set("x-csrf-token", csrf);
  const answer = await fetch(url, { method, body: plain ? body : JSON.stringify(body), headers: sent, signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    reached(false);
    throw new ApiError(0, { error: t("The gateway doesn't answer.") });
  });
  reached(true);
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 && path !== "/session" && path !== "/setup") signedOut();
  throw new ApiError(answer.status, told);
}

async function json(method, path, options) {
  const answer = await ask(method, path, options);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, query, signal) => json("GET", path, { query, signal });
export const post = (path, body = {}) => json("POST", path, { body });
export const put = (path, body, headers) => json("PUT", path, { body, headers });
export const patch = (path, body, headers) => json("PATCH", path, { body, headers });
export const del = (path, query) => json("DELETE", path, { query });

export const segment = encodeURIComponent;

// What a client's call carries so that what upstreams answer to it is told to this console.
export const asOperator = () => ({ "x-csrf-token": csrf });

// -- the session

function begun(session) {
  csrf = session["csrf-token"] || "";
  return session;
}

export const session = async () => begun(await get("/session"));
export const signIn = async (key) => begun(await post("/session", { key }));
export const setUp = async (token, key) => begun(await post("/setup", { token, "secret-key": key }));

export async function signOut() {
  await del("/session");
  csrf = "";
}

// A file that the browser saves; `came` is told how many bytes of it are here.
export async function download(path, query, name, came = () => {}) {
  const answer = await ask("GET", path, { query });
  const pieces = [];
  let size = 0;
  const reader = answer.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    came((size += read.value.length));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(pieces, { type: answer.headers.get("content-type") }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
