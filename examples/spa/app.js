// The app: who is signed in, their notes, and what to show when something goes wrong.
// The tokens live in this variable and nowhere else: not in localStorage, not in a cookie. A reload forgets them and
// asks the issuer again, silently.

import { Oidc, OAuthError } from "/oidc.js";

/** Renew so long before the token's end, or at half its life if that is short. */
const RENEW_BEFORE_S = 30;
/** Errors of a renewal that only mean: the user has to be there (OpenID Connect Core §3.1.2.6; the session grant's own). */
const USER_NEEDED = [
  "login_required", "interaction_required", "consent_required", "account_selection_required", "invalid_grant",
];
/** Kept in sessionStorage: whether a reload of this tab has somebody to sign in again. Says nothing of whom. */
const SIGNED_IN = "was-signed-in";
/** Kept beside it: the way of renewal that was chosen. */
const RENEWAL = "renewal";

const $ = (id) => document.getElementById(id);

let oidc;
/** claims, person, idToken, accessToken, expiresInS; null while nobody is signed in. */
let session = null;
let renewal = null;
let renewalTimer;

async function start() {
  $("sign-in").addEventListener("click", () => oidc.signIn().catch(showError));
  $("sign-out").addEventListener("click", signOut);
  $("renewal").addEventListener("change", () => sessionStorage.setItem(RENEWAL, $("renewal").value));
  $("renew").addEventListener("click", () => renew().then((done) => done && loadNotes()).catch(showError));
  $("add").addEventListener("submit", (event) => {
    event.preventDefault();
    addNote().catch(showError);
  });

  const config = await (await fetch("/config.json")).json();
  oidc = await Oidc.discover(config);
  offerRenewals(Object.keys(oidc.renewals));
  $("sign-in").disabled = false;
  try {
    const answered = await oidc.completeSignIn();
    if (answered) setSession(answered);
    else if (sessionStorage.getItem(SIGNED_IN)) await renew();
  } catch (error) {
    // A renewal by redirect ends here too.
    if (!isUserNeeded(error)) throw error;
    sessionEnded(error);
  }
  if (session) await loadNotes();
}

function offerRenewals(known) {
  for (const option of $("renewal").options) option.disabled = !known.includes(option.value);
  const chosen = sessionStorage.getItem(RENEWAL);
  if (known.includes(chosen)) $("renewal").value = chosen;
}

function setSession(next) {
  session = next;
  clearTimeout(renewalTimer);
  if (session) {
    sessionStorage.setItem(SIGNED_IN, "yes");
    const inS = Math.max(session.expiresInS - RENEW_BEFORE_S, session.expiresInS / 2);
    renewalTimer = setTimeout(renewInTime, inS * 1000);
  } else {
    sessionStorage.removeItem(SIGNED_IN);
  }
  render();
}

/** Not by redirect: nobody's page is taken away while they type. The API's next 401 does it. */
function renewInTime() {
  if ($("renewal").value !== "redirect") renew().catch(showError);
}

/** One renewal at a time, however many calls wait for it. True when somebody is signed in afterwards. */
function renew() {
  renewal ??= renewOnce().finally(() => { renewal = null; });
  return renewal;
}

async function renewOnce() {
  const before = session?.claims.sub;
  try {
    const next = await oidc.renewals[$("renewal").value]();
    // Somebody else may have signed in to the issuer from another tab: their name must not stand above these notes.
    const isOther = before !== undefined && before !== next.claims.sub;
    setSession(next);
    if (isOther) await loadNotes();
    return true;
  } catch (error) {
    if (!isUserNeeded(error)) throw error;
    if (before === undefined) setSession(null);
    else sessionEnded(error);
    return false;
  }
}

function isUserNeeded(error) {
  return error instanceof OAuthError && USER_NEEDED.includes(error.code);
}

function sessionEnded({ code }) {
  setSession(null);
  showError(new OAuthError(code, "Your session has ended. Please sign in again."));
}

function signOut() {
  const { idToken } = session;
  setSession(null);
  oidc.signOut(idToken);
}

async function callApi(method, body) {
  const send = () => fetch(`${oidc.config.api.replace(/\/$/, "")}/notes`, {
    method,
    credentials: "omit",
    headers: { authorization: `Bearer ${session.accessToken}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  }).catch(() => {
    throw new Error(`The API ${oidc.config.api} does not answer.`);
  });
  let response = await send();
  // The token may have died while this tab slept: once more with a new one, and not a third time.
  if (response.status === 401 && (await renew())) response = await send();
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new OAuthError(answer.error ?? "", answer.error_description ?? `The API answered ${response.status}.`);
  }
  showJson("token", answer.token);
  return answer;
}

async function loadNotes() {
  const { notes } = await callApi("GET");
  $("notes").replaceChildren(...notes.map(noteItem));
  $("no-notes").hidden = notes.length > 0;
}

async function addNote() {
  const field = $("note-text");
  const text = field.value.trim();
  if (!text) return;
  $("add-note").disabled = true;
  try {
    showError(null);
    await callApi("POST", { text });
    field.value = "";
    await loadNotes();
  } finally {
    $("add-note").disabled = false;
    field.focus();
  }
}

/** `textContent` everywhere, never `innerHTML`: what people write stays text. */
function noteItem({ text, written_at: writtenAt }) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  words.textContent = text;
  const time = document.createElement("time");
  const at = new Date(writtenAt * 1000);
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  item.append(words, time);
  return item;
}

function render() {
  const { claims, person } = session ?? {};
  $("welcome").hidden = Boolean(session);
  $("inside").hidden = !session;
  $("sign-out").hidden = !session;
  $("user").textContent = person ? (person.name ?? person.preferred_username ?? person.sub) : "";
  // The ID token is for this app. The access token is not: its content is the API's business (RFC 9068 §6), so what it
  // carries is shown as the API tells it.
  showJson("claims", claims);
  if (!session) {
    showJson("token", null);
    $("notes").replaceChildren();
  }
}

function showJson(id, value) {
  $(id).textContent = value ? JSON.stringify(value, null, 2) : "";
}

function showError(error) {
  const box = $("error");
  box.hidden = !error;
  box.textContent = error ? [error.message, error.code && `(${error.code})`].filter(Boolean).join(" ") : "";
}

start().catch(showError).finally(() => document.body.removeAttribute("aria-busy"));
