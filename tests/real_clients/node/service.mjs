// openid-client: a service gets a token by client credentials; jose: an API verifies it by the published keys alone.
import "./webcrypto.mjs";
import assert from "node:assert/strict";

const client = await import("openid-client");
const jose = await import("jose");
const { given, run } = await import("./test.mjs");
const { insecure } = await import("./sign_in.mjs");

await run(async () => {
  const issuer = new URL(given.issuer);
  const config = await client.discovery(issuer, "service", given.secret, client.ClientSecretBasic(given.secret), insecure);
  const { access_token } = await client.clientCredentialsGrant(config, { scope: "notes:read", resource: given.api });

  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const options = { issuer: given.issuer, audience: given.api, typ: "at+jwt", algorithms: ["ES256", "RS256"] };
  const { payload, protectedHeader } = await jose.jwtVerify(access_token, keys, options);
  assert.equal(payload.client_id, "service");
  assert.equal(payload.scope, "notes:read");
  assert.ok(protectedHeader.kid);
  const elsewhere = { ...options, audience: "https://other.example" };
  await assert.rejects(jose.jwtVerify(access_token, keys, elsewhere), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  const [head, , signature] = access_token.split(".");
  const body = jose.base64url.encode(JSON.stringify({ ...payload, scope: "notes:write" }));
  const forged = `${head}.${body}.${signature}`;
  await assert.rejects(jose.jwtVerify(forged, keys, options), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });

  const wrong = await client.discovery(issuer, "service", "not it", client.ClientSecretPost("not it"), insecure);
  await assert.rejects(client.clientCredentialsGrant(wrong, { scope: "notes:read" }), {
    code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
    status: 401,
  });
});
