// An application on oidc-client-ts: this one page is where it starts, where logins end, and what its hidden frames and
// popups load. The test acts on `manager` and reads what `told` has heard of it.
const { UserManager } = oidc;

globalThis.manager = new UserManager({
  authority: given.issuer,
  client_id: given.client,
  scope: given.scope,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  loadUserInfo: true,
  automaticSilentRenew: false,
  // Expiry is told of at once: nobody waits for the five minutes of a token.
  accessTokenExpiringNotificationTimeInSeconds: 299,
});

globalThis.told = [];
manager.events.addUserLoaded(() => told.push("loaded"));
manager.events.addUserUnloaded(() => told.push("unloaded"));
manager.events.addAccessTokenExpiring(() => told.push("expiring"));
manager.events.addSilentRenewError((error) => told.push(`not renewed: ${error.error ?? error.message}`));

const what = (user) => user && {
  access: user.access_token,
  refresh: user.refresh_token ?? null,
  expired: user.expired,
  profile: user.profile,
  scope: user.scope,
  told,
};

// What the test calls: the outcome as JSON, an OAuth error by its code.
globalThis.outcome = (promise, done) => promise.then((user) => done(what(user) ?? null), (error) => done(error.error ?? error.message));

async function start() {
  if (location.pathname === "/callback") {
    // Frames and popups are closed by whoever opened them.
    const user = await manager.signinCallback();
    if (user) history.replaceState(null, "", "/");
  } else if (location.search.includes("state=")) {
    await manager.signoutCallback();
    history.replaceState(null, "", "/");
  }
  const user = await manager.getUser();
  return user ? `signed in as ${user.profile.name}` : "nobody is signed in";
}

start().then(
  (text) => { document.getElementById("status").textContent = text; },
  (error) => { document.getElementById("status").textContent = `failed: ${error.error ?? error.message}`; },
);
