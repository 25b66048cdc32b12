// From answers to elements. Whatever the service says goes in as text, never as markup.
import { word } from "./words.js";

const DAY_MS = 86_400_000;
const FIRST = 6; // rows of a list that are shown at once; care and warnings always are
const SELLING = ["restock_due", "next_need"];
// Of a relation, in this order; what has no value is left out, what is not named here comes last.
const FACTS = ["segment", "value_band", "level", "customer_since", "n_purchase_days",
  "last_purchase", "spend_12_months", "expected_value", "p_churn"];
const NOT_FACTS = ["reason", "days_since_last", "horizon_days", "n_lines_without_price"];

/** An element with properties and children; strings become text nodes. */
export function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

/** Who they are to us, and the story in a few sentences. */
export function showWho(brief) {
  const objects = (brief.objects_to ?? []).map((to) => word(`objects_to_${to}`));
  const story = (brief.story ?? []).map(said).filter(Boolean);
  const about = brief.relation ?? {};
  const others = Object.keys(about).filter((name) => ![...FACTS, ...NOT_FACTS].includes(name));
  const facts = [...FACTS, ...others].filter((name) => isPlain(about[name])).map((name) =>
    make("div", {}, make("dt", {}, word(name, { days: about.horizon_days ?? "?" })),
      make("dd", {}, valueOf(name, about[name]))));
  const isKnown = brief.known !== false;
  return [
    make("div", { className: "who-head" },
      make("h2", { id: "who-title" }, String(brief.customer_id)),
      make("p", { className: "meta" }, word("asked_as_of", { when: minute(brief) }))),
    isKnown ? null : make("p", { className: "notice" }, word("unknown")),
    objects.length ? make("p", { className: "notice" }, objects.join(" ")) : null,
    story.length && isKnown ? make("p", { className: "story" }, story.join(" ")) : null,
    facts.length && isKnown ? make("dl", { className: "facts" }, facts) : null,
    said(about.reason) && isKnown ? make("p", { className: "meta" }, said(about.reason)) : null,
  ].filter(Boolean);
}

/** The sections of a brief, care first; one that the answer does not have is left out. */
export function showBrief(brief) {
  const withheld = (brief.withheld_because ?? []).map(said).filter(Boolean).join("; ");
  const sections = [
    ["open", openOf(brief), matter],
    ["timeline", brief.timeline, happened],
    ["ahead", brief.ahead, matter, withheld, said(brief.next_purchase)],
    ["wrong", mishaps(brief), matter],
    ["avoid", brief.do_not_offer, avoided],
    ["owns", brief.owns, kept],
    ["uses", brief.uses, kept],
  ];
  return sections.filter(([, all]) => Array.isArray(all)).map(([name, all, each, none, more]) =>
    section(name, all.map((one) => each(one, brief)), none || word(`${name}_none`), more));
}

/** What waits for us: open matters and re-checks that are due. */
export function openOf(brief) {
  return [...(brief.open ?? []), ...(brief.rechecks ?? [])];
}

export function mishaps(brief) {
  return brief.likely_to_go_wrong ?? [];
}

/** Warnings of a cart, and what goes with it. */
export function showVerdict(check, offers, brief) {
  const withheld = (brief.withheld_because ?? []).map(said).filter(Boolean).join("; ");
  return [
    section("warnings", check.warnings.map((one) => matter(one, check)), word("warnings_none")),
    section("goes_with", offers.map((one) => matter(one, check)), withheld || word("goes_with_none")),
  ];
}

export function offersOf(answer) {
  return answer.suggestions.filter((one) => SELLING.includes(one.kind));
}

function section(name, rows, none, more = "") {
  const first = ["open", "warnings"].includes(name) ? rows.length : FIRST;
  const rest = rows.slice(first);
  const made = make("section", { className: `card part ${name}` },
    make("h3", { id: `${name}-title` }, word(name)),
    more ? make("p", { className: "meta" }, more) : null,
    rows.length ? make("ul", { className: "rows" }, rows.slice(0, first))
      : make("p", { className: "none" }, none),
    rest.length ? make("details", {}, make("summary", {}, word("more", { n: rest.length })),
      make("ul", { className: "rows" }, rest)) : null);
  made.setAttribute("aria-labelledby", `${name}-title`);
  return made;
}

/** A suggestion, or anything like one: what, why, when, what it rests on, what may be chosen. */
function matter(one, answer) {
  const why = said(one.reason) || said(one);
  const name = nameOf(one);
  const [title, rest] = titled(one.since && one.days_open !== undefined ? word(`matter_${one.kind}`) : name, why);
  const isSold = SELLING.includes(one.kind);
  const meta = [
    one.probability !== undefined && one.kind && !isSold && word(one.kind),
    !isSold && one.item_id !== title && one.item_id,
    one.order_id && word("order", { id: one.order_id }),
    one.channel, one.contacted_on && word("contacted_on", { when: one.contacted_on }),
    whenOf(one, answer),
  ].filter(Boolean);
  const evidence = (one.evidence ?? []).map((seen) => evidenceOf(seen, answer));
  return make("li", { className: "matter" },
    make("p", { className: "what" }, title
      ? make("span", {}, make("strong", {}, title), " ",
        make("span", { className: "meta" }, isSold && one.item_id !== title ? String(one.item_id) : ""))
      : make("span", {}, rest),
      Number.isFinite(one.probability) && one.kind !== "follow_up"
        ? make("span", { className: "chip" }, percent(one.probability)) : null),
    title && rest ? make("p", {}, rest) : null,
    said(one.what_to_do) ? make("p", { className: "todo" }, said(one.what_to_do)) : null,
    meta.length ? make("p", { className: "meta" }, meta.join(" · ")) : null,
    evidence.length
      ? make("p", { className: "meta" }, `${word("evidence")}: ${evidence.join("; ")}`) : null,
    one.options?.length ? make("div", { className: "choices" },
      make("span", { className: "meta" }, word("choices")),
      make("ul", {}, one.options.map((option) => make("li", {}, String(option))))) : null);
}

function nameOf(one) {
  const facts = one.reason?.facts ?? one.facts ?? {};
  const name = one.name ?? (one.item_id === undefined ? null : facts.item) ?? one.item_id ?? null;
  return name === null ? "" : String(name);
}

/** "Coffee: bought often" with the name Coffee is a title and the rest of a sentence. */
function titled(name, why) {
  if (!name) return ["", why];
  if (why.startsWith(`${name}: `)) return [name, why.slice(name.length + 2)];
  return why.includes(name) ? ["", why] : [name, why];
}

function happened(one, answer) {
  const date = day(one.date, answer);
  const names = (one.items ?? []).map((item) => item.name ?? item.item_id).join(", ");
  const told = said(one) || [word(one.event ?? ""), names, one.topic].filter(Boolean).join(" · ");
  const meta = [one.order_id && word("order", { id: one.order_id }), one.channel,
    one.answered_on && word("answered_on", { when: one.answered_on })].filter(Boolean);
  return make("li", { className: "event" }, make("time", { dateTime: date }, date),
    make("span", {}, make("span", {}, told), " ",
      make("span", { className: "meta" }, meta.join(" · "))));
}

function avoided(one) {
  const [title, rest] = titled(nameOf(one), said(one));
  return make("li", { className: title ? "event" : "" },
    title ? make("strong", {}, title) : null, make("span", {}, rest));
}

function kept(one, answer) {
  const meta = [one.last_bought && word("last_bought", { when: day(one.last_bought, answer) }),
    one.usual_gap_days && word("every_days", { n: Math.round(one.usual_gap_days) }),
    whenOf(one, answer)].filter(Boolean);
  return make("li", { className: "event" }, make("strong", {}, nameOf(one)),
    make("span", { className: "meta" }, meta.join(" · ")));
}

function whenOf(one, answer) {
  if (!one.due) return "";
  const date = day(one.due, answer);
  const away = Math.round((Date.parse(date) - Date.parse(day(answer.as_of, answer))) / DAY_MS);
  if (!Number.isFinite(away) || (away <= 0 && one.kind === "follow_up")) return "";
  return `${word("due", { when: date })}, ${relative(away)}`;
}

function relative(days) {
  if (days === 0) return word("today");
  if (days === 1) return word("in_one_day");
  if (days === -1) return word("one_day_ago");
  return days > 0 ? word("in_days", { n: days }) : word("days_ago", { n: -days });
}

function evidenceOf(seen, answer) {
  const parts = [seen.date && day(seen.date, answer), seen.event && word(seen.event), seen.item_id,
    seen.order_id && word("order", { id: seen.order_id })];
  const known = ["date", "event", "item_id", "order_id", "customer_id"];
  const rest = Object.entries(seen).filter(([name, value]) => !known.includes(name) && isPlain(value));
  return [...parts, ...rest.map(([name, value]) => `${word(name)} ${value}`)].filter(Boolean).join(", ");
}

function valueOf(name, value) {
  if (typeof value === "number" && /^p_|share$/.test(name)) return percent(value);
  if (typeof value === "number") {
    const decimals = /spend|value/.test(name) ? 2 : 0;
    const style = { minimumFractionDigits: decimals, maximumFractionDigits: 2 };
    return value.toLocaleString(document.documentElement.lang, style);
  }
  return name === "segment" || name === "value_band" ? word(value) : String(value);
}

function percent(share) {
  const whole = Math.round(100 * share);
  if (whole === 0) return "< 1 %";
  return whole === 100 && share < 1 ? "> 99 %" : `${whole} %`;
}

/** The calendar day of an instant, in the shop's timezone where the answer names it. */
function day(text, answer) {
  return inZone(text, answer, { dateStyle: "short" });
}

function minute(answer) {
  return `${inZone(answer.as_of, answer, { dateStyle: "short", timeStyle: "short" })} ${answer.timezone ?? "UTC"}`;
}

function inZone(text, answer, style) {
  const instant = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(instant.valueOf())) return String(text ?? "");
  const timeZone = answer.timezone ?? "UTC"; // Sweden writes 2025-03-01
  return new Intl.DateTimeFormat("sv-SE", { ...style, timeZone }).format(instant);
}

/** The text of a sentence, or of what holds one. */
function said(one) {
  const text = typeof one === "string" ? one : one?.text;
  return typeof text === "string" ? text : "";
}

function isPlain(value) {
  return ["string", "number", "boolean"].includes(typeof value);
}
