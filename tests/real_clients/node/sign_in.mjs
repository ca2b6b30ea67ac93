// What the scripts share: from the authorization request to the tokens, and what must hold for every client.
import * as client from "openid-client";
import assert from "node:assert/strict";
import { given, open } from "./test.mjs";

// The server of the tests speaks plain http on loopback.
export const insecure = { execute: [client.allowInsecureRequests] };

export async function signIn(config, parameters) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: given.callback,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...parameters,
  });
  const back = await open(url);
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  assert.equal(tokens.claims().nonce, nonce);
  return tokens;
}

// Another silent login: resolves to the error that it ends with, if any.
export async function silently(config) {
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: given.callback,
    scope: "openid",
    prompt: "none",
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  });
  return (await open(url)).searchParams.get("error");
}
