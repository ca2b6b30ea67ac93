// openid-client: a client registers itself, signs a user in, renews, reads the claims, signs out.
import "./webcrypto.mjs";
import assert from "node:assert/strict";

const client = await import("openid-client");
const { given, open, run } = await import("./test.mjs");
const { insecure, signIn, silently } = await import("./sign_in.mjs");

await run(async () => {
  const metadata = {
    redirect_uris: [given.callback],
    post_logout_redirect_uris: [given.bye],
    grant_types: ["authorization_code", "refresh_token"],
    client_name: "A client that came by itself",
    token_endpoint_auth_method: given.method,
  };
  const issuer = new URL(given.issuer);
  await assert.rejects(client.dynamicClientRegistration(issuer, metadata, undefined, insecure), { status: 401 });

  const authentication = {
    client_secret_basic: () => client.ClientSecretBasic(),
    client_secret_post: () => client.ClientSecretPost(),
    client_secret_jwt: () => client.ClientSecretJwt(),
    private_key_jwt: () => client.PrivateKeyJwt({ key: keys.privateKey, kid: "k1" }),
  }[given.method];
  let keys;
  if (given.method === "private_key_jwt") {
    const { exportJWK, generateKeyPair } = await import("jose");
    keys = await generateKeyPair("ES256");
    metadata.jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
  }
  const options = { ...insecure, initialAccessToken: given.initialAccessToken };
  const config = await client.dynamicClientRegistration(issuer, metadata, authentication(), options);
  assert.equal(config.serverMetadata().supportsPKCE(), true);
  client.enableNonRepudiationChecks(config);

  const tokens = await signIn(config, { scope: "openid profile email offline_access", max_age: "600" });
  const { sub } = tokens.claims();
  const told = await client.fetchUserInfo(config, tokens.access_token, sub);
  assert.equal(told.email, "alice@example.org");
  assert.equal(told.name, "alice Example");
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, "somebody else"), client.ClientError);

  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(renewed.refresh_token, tokens.refresh_token);
  assert.notEqual(renewed.access_token, tokens.access_token);
  assert.equal(renewed.claims().sub, sub);
  assert.ok(renewed.expiresIn() > 0);

  const looked = await client.tokenIntrospection(config, renewed.access_token);
  assert.equal(looked.active, true);
  assert.equal(looked.sub, sub);
  await client.tokenRevocation(config, renewed.refresh_token);
  await assert.rejects(client.refreshTokenGrant(config, renewed.refresh_token), { error: "invalid_grant" });
  assert.deepEqual(await client.tokenIntrospection(config, renewed.access_token), { active: false });

  assert.equal(await silently(config), null);
  const end = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: given.bye,
    id_token_hint: tokens.id_token,
    state: "a state",
  });
  assert.equal((await open(end)).href, `${given.bye}?state=a%20state`);
  assert.equal(await silently(config), "login_required");
});
