// The staff page: type a customer, read the brief, try a cart. Nothing is stored: the key and the
// customer live in this page's memory; the newest request wins.
import { ask } from "./service.js";
import { make, mishaps, offersOf, openOf, showBrief, showVerdict, showWho } from "./show.js";
import { speak, word } from "./words.js";

const at = (id) => document.getElementById(id);
const OFFERS = 6;

let key = "";
let language = "en";
let customer = null; // whom the page shows: {id, as_of, brief}
let again = null; // what to ask once more when a key is given
const running = { brief: new AbortController(), cart: new AbortController() };

/** A signal for a new request of that kind; the one before it is dropped. */
function newest(kind) {
  running[kind].abort();
  running[kind] = new AbortController();
  return running[kind].signal;
}

async function showCustomer() {
  const id = at("customer").value.trim();
  if (!id) return;
  const asked = { id, as_of: at("as-of").value || undefined };
  const signal = newest("brief");
  forgetCart(customer?.id === id);
  say("status", word("asking"));
  const body = { customer_id: id, as_of: asked.as_of, language };
  const brief = await answerOf("v1/brief", body, { ids: "customer", signal, place: "", redo: showCustomer });
  if (!brief) return;
  customer = { ...asked, brief };
  at("who").replaceChildren(...showWho(brief));
  at("brief").replaceChildren(...showBrief(brief));
  at("answer").hidden = at("skip").hidden = false;
  say("status", word("shown", {
    customer: id, open: openOf(brief).length, wrong: mishaps(brief).length,
    ahead: (brief.ahead ?? []).length,
  }));
}

async function checkCart() {
  const cart = linesOf();
  const signal = newest("cart");
  at("verdict").replaceChildren();
  if (!cart.length) {
    say("cart-status", word("no_lines"));
    at("lines").querySelector("input").focus();
    return;
  }
  say("cart-status", word("asking"));
  const body = { customer_id: customer.id, as_of: customer.as_of, cart, language };
  const options = { ids: "item", signal, place: "cart-", redo: checkCart };
  const check = await answerOf("v1/check-cart", { ...body, audience: "staff" }, options);
  const answer = check && await answerOf("v1/suggest", { ...body, n: OFFERS }, options);
  if (!answer) return;
  const offers = offersOf(answer);
  at("verdict").replaceChildren(...showVerdict(check, offers, customer.brief));
  say("cart-status", word("checked", { warnings: check.warnings.length, suggestions: offers.length }));
}

/** The answer, or null with the problem shown in words; null in silence for a dropped request. */
async function answerOf(path, body, { ids, signal, place, redo }) {
  try {
    const answer = await ask(path, body, { ids, signal, key });
    signal.throwIfAborted();
    showProblem(place, null);
    return answer;
  } catch (error) {
    if (signal.aborted) return null;
    say(`${place}status`, "");
    if (place === "") hideCustomer();
    if (error.status === 401) askForKey(redo);
    else showProblem(place, error);
    return null;
  }
}

function askForKey(redo) {
  again = redo;
  at("unlock").hidden = false;
  showProblem("", { message: word(key ? "key_refused" : "key_needed") });
  key = "";
  at("key").value = "";
  at("key").focus();
}

function unlock() {
  const typed = at("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(typed)) {
    showProblem("", { message: word("key_letters") });
    return;
  }
  key = typed;
  at("key").value = "";
  at("unlock").hidden = true;
  showProblem("", null);
  at("customer").focus();
  again?.();
}

function showProblem(place, problem) {
  const parts = problem && [make("strong", {}, problem.message), ...(problem.details ?? [])];
  at(`${place}problem`).replaceChildren(...(problem
    ? [make("div", { className: "card problem" }, parts.map((part) => make("p", {}, part)))]
    : []));
}

function say(place, text) {
  at(place).textContent = text;
}

// -- the cart's lines

function addLine() {
  const n = at("lines").childElementCount + 1;
  const field = (name, label, properties) => make("p", { className: `field ${name}` },
    make("label", { htmlFor: `${name}-${n}` }, label),
    make("input", { id: `${name}-${n}`, name, ...properties }));
  const remove = make("button", { type: "button", className: "plain remove" }, word("remove"));
  remove.setAttribute("aria-label", word("remove_line", { n }));
  const line = make("fieldset", { className: "line" },
    make("legend", {}, word("line", { n })),
    field("item", word("item"), { type: "text", maxLength: 256, spellcheck: false, autocapitalize: "off" }),
    field("quantity", word("quantity"), { type: "number", min: "0.001", step: "any", value: "1" }),
    field("price", word("price"), { type: "number", min: "0", step: "any" }),
    field("gift", word("gift"), { type: "checkbox" }),
    remove);
  remove.addEventListener("click", () => removeLine(line));
  at("lines").append(line);
  return line;
}

function removeLine(line) {
  const place = [...at("lines").children].indexOf(line);
  line.remove();
  forgetVerdict();
  relabel();
  if (!at("lines").childElementCount) addLine();
  at("lines").children[Math.max(place - 1, 0)].querySelector("input").focus();
}

/** Draw the lines anew with what they hold: after one went, or in another language. */
function relabel() {
  const held = [...at("lines").children].map(read);
  at("lines").replaceChildren();
  for (const one of held) write(addLine(), one);
}

const inputs = (line) => Object.fromEntries([...line.querySelectorAll("input")].map((one) => [one.name, one]));

function read(line) {
  const { item, quantity, price, gift } = inputs(line);
  return { item: item.value.trim(), quantity: quantity.value, price: price.value, gift: gift.checked };
}

function write(line, { item, quantity, price, gift }) {
  const into = inputs(line);
  Object.assign(into.item, { value: item });
  Object.assign(into.quantity, { value: quantity });
  Object.assign(into.price, { value: price });
  Object.assign(into.gift, { checked: gift });
}

function linesOf() {
  return [...at("lines").children].map(read).filter((line) => line.item).map((line) => ({
    item_id: line.item,
    quantity: line.quantity === "" ? undefined : Number(line.quantity),
    price: line.price === "" ? undefined : Number(line.price),
    gift: line.gift,
  }));
}

// -- clearing

/** What was said of a cart does not hold for another one. */
function forgetVerdict() {
  newest("cart");
  at("verdict").replaceChildren();
  showProblem("cart-", null);
  say("cart-status", "");
}

function forgetCart(keepLines) {
  forgetVerdict();
  if (keepLines) return;
  at("lines").replaceChildren();
  addLine();
}

function hideCustomer() {
  customer = null;
  at("answer").hidden = at("skip").hidden = true;
  at("who").replaceChildren();
  at("brief").replaceChildren();
}

function clear() {
  newest("brief");
  forgetCart(false);
  hideCustomer();
  showProblem("", null);
  say("status", word("cleared"));
  at("ask").reset();
  at("customer").focus();
}

function emptyCart() {
  forgetCart(false);
  say("cart-status", word("cleared"));
  at("lines").querySelector("input").focus();
}

function switchLanguage() {
  language = language === "en" ? "ko" : "en";
  speak(language);
  document.documentElement.lang = language;
  document.title = word("title");
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
  at("language").textContent = word("other_language");
  at("language").lang = language === "en" ? "ko" : "en";
  relabel();
  if (customer) showCustomer();
}

function onSubmit(id, work) {
  at(id).addEventListener("submit", (event) => {
    event.preventDefault();
    work();
  });
}

onSubmit("ask", showCustomer);
onSubmit("unlock", unlock);
onSubmit("cart", checkCart);
at("lines").addEventListener("input", forgetVerdict);
at("add").addEventListener("click", () => addLine().querySelector("input").focus());
at("language").addEventListener("click", switchLanguage);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (at("cart").contains(document.activeElement)) emptyCart();
  else clear();
});
addLine();
