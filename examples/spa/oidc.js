// Signing in: OpenID Connect with the authorization code flow and PKCE, for a public client, without a library.
// The page never sees a refresh token: it renews by asking the issuer again, whose session cookie answers for the user.
// Four ways of asking are shown; an app needs one.

const SCOPE = "openid profile notes:read notes:write";
const REDIRECT_URI = `${location.origin}/`;
const SILENT_REDIRECT_URI = `${location.origin}/silent.html`;
const SILENT_TIMEOUT_MS = 10_000;
const CLOCK_LEEWAY_S = 30;
const SESSION_GRANT = "urn:countersign:params:oauth:grant-type:session";

/** What the issuer said instead of what was asked for. `code` is the OAuth error code. */
export class OAuthError extends Error {
  constructor(code, description) {
    super(description || code);
    this.code = code;
  }
}

export class Oidc {
  /** `config`: issuer, client_id, api. Reads the issuer's metadata; its addresses are used, never guessed. */
  static async discover(config) {
    const url = `${config.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await fetch(url, { credentials: "omit" }).catch(() => {
      throw new Error(`The issuer ${config.issuer} does not answer. Is it running, and does it allow this origin?`);
    });
    if (!response.ok) throw new Error(`The issuer's metadata at ${url} cannot be read (${response.status}).`);
    const metadata = await response.json();
    // OpenID Connect Discovery §4.3: the document must be the very issuer's.
    if (metadata.issuer !== config.issuer) {
      throw new Error(`The issuer calls itself ${metadata.issuer}, but this app is set up for ${config.issuer}.`);
    }
    return new Oidc(config, metadata);
  }

  constructor(config, metadata) {
    this.config = config;
    this.metadata = metadata;
  }

  /** Leaves this page for the issuer's. Comes back to it with a code: `completeSignIn`. */
  async signIn(more = {}) {
    const request = await this.#newRequest(REDIRECT_URI);
    // For this tab, until it comes back. The verifier is worth nothing without the code, and the code nothing without it.
    sessionStorage.setItem("sign-in", JSON.stringify(request));
    location.assign(this.#authorizeUrl(request, more));
  }

  /** When this page was opened by the issuer's redirect: checks the answer, gets the tokens. Otherwise null. */
  async completeSignIn() {
    const answer = new URLSearchParams(location.search);
    if (!answer.has("state") || !(answer.has("code") || answer.has("error"))) return null;
    // Out of the address bar and the history before anything else: a reload must not send the code again.
    history.replaceState(null, "", location.pathname);
    const request = JSON.parse(sessionStorage.getItem("sign-in") ?? "null");
    sessionStorage.removeItem("sign-in");
    if (!request) throw new Error("This sign-in was not begun in this tab, or was finished already. Please sign in again.");
    return this.#redeem(answer, request);
  }

  /** The ways of renewal that the issuer knows. */
  get renewals() {
    const { response_modes_supported: modes = [], grant_types_supported: grants = [] } = this.metadata;
    const renewals = { frame: () => this.#renewInFrame(), redirect: () => this.#renewByRedirect() };
    if (modes.includes("web_message")) renewals.message = () => this.#renewByMessage();
    if (grants.includes(SESSION_GRANT)) renewals.session = () => this.#renewBySession();
    return renewals;
  }

  // Each fails with `login_required` (the session grant with `invalid_grant`) when the issuer's session is over.

  /** prompt=none in a hidden frame, which is sent back to a page of this app. Works with every OpenID provider. */
  async #renewInFrame() {
    const request = await this.#newRequest(SILENT_REDIRECT_URI);
    const url = this.#authorizeUrl(request, { prompt: "none" });
    const read = (data) => data?.type === "silent-answer" && new URLSearchParams(data.query);
    return this.#redeem(await answerFromFrame(url, location.origin, read), request);
  }

  /** prompt=none in a hidden frame, in which the issuer itself tells this page: no page of the app's is needed for it. */
  async #renewByMessage() {
    const request = await this.#newRequest(REDIRECT_URI);
    const url = this.#authorizeUrl(request, { prompt: "none", response_mode: "web_message" });
    const read = (data) => data?.type === "authorization_response" && new URLSearchParams(data.response);
    return this.#redeem(await answerFromFrame(url, new URL(this.metadata.issuer).origin, read), request);
  }

  /** prompt=none with the whole page. Works where the issuer is on another site, whose cookies no frame gets. */
  async #renewByRedirect() {
    await this.signIn({ prompt: "none" });
    return new Promise(() => {}); // the page is left; `completeSignIn` goes on with it
  }

  /** One request, for the house's own apps on the issuer's site: the browser sends the session cookie along. */
  async #renewBySession() {
    return this.#tokens(
      { grant_type: SESSION_GRANT, scope: SCOPE },
      { credentials: "include", headers: { "countersign-session": "1" } },
    );
  }

  /** Ends the issuer's session too: otherwise the next "Sign in" would let in whoever sits here. */
  signOut(idToken) {
    const url = new URL(this.metadata.end_session_endpoint);
    url.searchParams.set("id_token_hint", idToken);
    url.searchParams.set("post_logout_redirect_uri", REDIRECT_URI);
    location.assign(url);
  }

  async #newRequest(redirectUri) {
    const verifier = randomText();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    return {
      redirectUri,
      verifier,
      challenge: base64url(new Uint8Array(digest)),
      state: randomText(), // binds the answer to this request: nobody can slip in an answer of their own (CSRF)
      nonce: randomText(), // binds the ID token to this request
    };
  }

  #authorizeUrl(request, more = {}) {
    const url = new URL(this.metadata.authorization_endpoint);
    const parameters = {
      response_type: "code",
      client_id: this.config.client_id,
      redirect_uri: request.redirectUri,
      scope: SCOPE,
      resource: this.config.api, // RFC 8707: the token is for this API and no other
      state: request.state,
      nonce: request.nonce,
      code_challenge: request.challenge,
      code_challenge_method: "S256",
      ...more,
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  /** From the issuer's answer to the tokens. The order of the checks matters: whose answer is it, then what does it say. */
  async #redeem(answer, request) {
    if (answer.get("state") !== request.state) throw new Error("The answer does not belong to this sign-in (state).");
    // RFC 9207: with several issuers, one could pass its answer off as another's.
    const issuerMustTell = this.metadata.authorization_response_iss_parameter_supported === true;
    if ((issuerMustTell || answer.has("iss")) && answer.get("iss") !== this.metadata.issuer) {
      throw new Error("The answer comes from another issuer (iss).");
    }
    if (answer.has("error")) throw new OAuthError(answer.get("error"), answer.get("error_description"));

    return this.#tokens(
      {
        grant_type: "authorization_code",
        code: answer.get("code"),
        redirect_uri: request.redirectUri,
        code_verifier: request.verifier,
      },
      { credentials: "omit" },
      request.nonce,
    );
  }

  async #tokens(grant, options, nonce) {
    const response = await fetch(this.metadata.token_endpoint, {
      method: "POST",
      ...options,
      // Sent as application/x-www-form-urlencoded.
      body: new URLSearchParams({ ...grant, client_id: this.config.client_id, resource: this.config.api }),
    });
    const tokens = await response.json().catch(() => ({}));
    if (!response.ok) throw new OAuthError(tokens.error ?? `HTTP ${response.status}`, tokens.error_description);
    if (tokens.token_type?.toLowerCase() !== "bearer") throw new Error("The issuer gave a token that is no bearer token.");
    const claims = this.#checkedClaims(tokens.id_token, nonce);
    return {
      claims,
      person: await this.#userinfo(tokens.access_token, claims.sub),
      idToken: tokens.id_token,
      accessToken: tokens.access_token,
      expiresInS: tokens.expires_in ?? 60,
    };
  }

  /** Who signed in, for people: the ID token says it by `sub` alone, the scopes' claims are told here (Core §5.4). */
  async #userinfo(accessToken, sub) {
    const response = await fetch(this.metadata.userinfo_endpoint, {
      headers: { authorization: `Bearer ${accessToken}` },
      credentials: "omit",
    });
    if (!response.ok) throw new OAuthError(`HTTP ${response.status}`, "The issuer does not say who signed in.");
    const person = await response.json();
    // OpenID Connect Core §5.3.2: otherwise the claims "MUST NOT be used".
    if (person.sub !== sub) throw new Error("The issuer tells of somebody else than the one who signed in.");
    return person;
  }

  /**
   * OpenID Connect Core §3.1.3.7. The signature is not checked: the token came straight from the token endpoint, and
   * point 6 allows to rely on that connection (TLS, outside of a demo on one machine) in place of the signature. A token
   * that came any other way, by a redirect or a message, would have to be verified.
   */
  #checkedClaims(idToken, nonce) {
    const claims = decodePayload(idToken);
    const nowS = Date.now() / 1000;
    const audience = [claims.aud].flat();
    if (claims.iss !== this.metadata.issuer) throw new Error("The ID token comes from another issuer.");
    if (!audience.includes(this.config.client_id)) throw new Error("The ID token is meant for another app.");
    if (audience.length > 1 && claims.azp !== this.config.client_id) throw new Error("The ID token is meant for several apps.");
    if (!(claims.exp > nowS - CLOCK_LEEWAY_S)) throw new Error("The ID token has expired. Is this machine's clock right?");
    if (claims.nonce !== nonce) throw new Error("The ID token does not belong to this sign-in (nonce).");
    if (typeof claims.sub !== "string") throw new Error("The ID token names no user.");
    return claims;
  }
}

/** What a page of `origin` in a hidden frame tells this one, in a message that `read` understands. */
function answerFromFrame(url, origin, read) {
  return new Promise((resolve, reject) => {
    const frame = document.createElement("iframe");
    const listen = (event) => {
      // Any page can post messages here. Only one of this origin, from this very frame, counts.
      if (event.origin !== origin || event.source !== frame.contentWindow) return;
      const answer = read(event.data);
      if (answer) finish(() => resolve(answer));
    };
    // The issuer shows an error page in place of a redirect, or is down: then no message ever comes.
    const timer = setTimeout(
      () => finish(() => reject(new OAuthError("timeout", "The issuer did not answer the silent renewal."))),
      SILENT_TIMEOUT_MS,
    );
    const finish = (then) => {
      clearTimeout(timer);
      window.removeEventListener("message", listen);
      frame.remove();
      then();
    };
    window.addEventListener("message", listen);
    frame.hidden = true;
    frame.title = "Silent renewal";
    frame.src = url;
    document.body.append(frame);
  });
}

/** 256 random bits, as PKCE, state and nonce want them. */
function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodePayload(jwt) {
  try {
    const payload = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error("The ID token cannot be read.");
  }
}
