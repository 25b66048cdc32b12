// Asking the service: one request, its answer or a Problem in words. Ids never go into an address.
import { word } from "./words.js";

const PATIENCE_MS = 15_000;
const INTEGER = /^(0|-?[1-9]\d*)$/;

/** Why there is no answer: the HTTP status (0: none came), in words, and details. */
export class Problem extends Error {
  constructor(status, message, details = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** POST a body, give the answer; throws Problem, or AbortError when `signal` says so. */
async function post(path, body, { key, signal }) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(path, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, patience]),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
    });
    const text = await response.text();
    if (!response.ok) throw problemOf(response.status, text);
    return read(text);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    throw new Problem(0, word(patience.aborted ? "too_slow" : "unreachable"));
  }
}

/** An error (RFC 9457) in words: ours for the status, then what the service says of it. */
function problemOf(status, text) {
  let told = {};
  try {
    told = JSON.parse(text) ?? {};
  } catch {
    // a proxy's page, say: its status must do
  }
  const faults = Array.isArray(told.errors) ? told.errors : [];
  const said = [told.detail, ...faults.map((fault) => `${fault?.location}: ${fault?.message}`)];
  const name = [413, 422, 500, 503].includes(status) ? `status_${status}` : "failed";
  return new Problem(status, word(name, { status }), said.filter((part) => typeof part === "string"));
}

/** JSON, but whole numbers that a double cannot hold (64-bit ids) stay as they were written. */
function read(text) {
  try {
    return JSON.parse(text, (_, value, context) =>
      Number.isInteger(value) && !Number.isSafeInteger(value) && context ? context.source : value);
  } catch {
    throw new Problem(0, word("no_json"));
  }
}

function asNumber(text) {
  return JSON.rawJSON ? JSON.rawJSON(text) : Number(text);
}

// Whether the bundle's ids are text is learned from its answers, customers and items apart.
const numeric = { customer: false, item: false };

/** Ask with ids as typed; refused as of the wrong type (422), once more as the other type. */
export async function ask(path, body, options) {
  const asked = options.ids;
  try {
    return await post(path, withIds(body, numeric), options);
  } catch (error) {
    const other = { ...numeric, [asked]: !numeric[asked] };
    if (error.status !== 422 || !typed(body, asked).every((id) => INTEGER.test(id))) throw error;
    const answer = await post(path, withIds(body, other), options).catch((again) => {
      throw again instanceof Problem ? error : again;
    });
    numeric[asked] = other[asked];
    return answer;
  }
}

function typed(body, asked) {
  return asked === "customer" ? [body.customer_id] : body.cart.map((line) => line.item_id);
}

function withIds(body, kinds) {
  const id = (text, kind) => (kinds[kind] && INTEGER.test(text) ? asNumber(text) : text);
  const made = { ...body, customer_id: id(body.customer_id, "customer") };
  if (body.cart) {
    made.cart = body.cart.map((line) => ({ ...line, item_id: id(line.item_id, "item") }));
  }
  return made;
}
