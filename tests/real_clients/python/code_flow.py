"""Authlib: a web application signs a user in, renews, reads the claims, looks its token up, revokes it, signs out. PyJWT:
an API verifies the access token by the published keys alone."""

from urllib.parse import parse_qs, urlsplit

import jwt
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt as jose
from joserfc.errors import InvalidClaimError
from joserfc.jwk import ECKey, KeySet

from talk import done, given, open_page

METHOD = given["method"]


def refuses(error, call):
    try:
        call()
    except error as told:
        return told
    raise AssertionError(f"{call} was not refused")


def client(secret):
    session = OAuth2Session(
        "python",
        secret,
        token_endpoint_auth_method=METHOD,
        revocation_endpoint_auth_method=METHOD,
        redirect_uri=given["callback"],
        scope="openid profile email offline_access notes:read",
        code_challenge_method="S256",
    )
    if METHOD == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(meta["token_endpoint"], headers={"kid": "k1"}, alg="ES256"))
    return session


def sign_in(session, **parameters):
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = session.create_authorization_url(
        meta["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters
    )
    back = open_page(url)
    session.fetch_token(meta["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
    return session.token, nonce


def id_token(token, nonce):
    decoded = jose.decode(token["id_token"], keys, algorithms=meta["id_token_signing_alg_values_supported"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"essential": True, "values": [given["issuer"]]}},
        {"nonce": nonce, "client_id": "python", "access_token": token["access_token"]},
    )
    claims.validate()
    return claims


with OAuth2Session() as anyone:
    meta = anyone.get(given["issuer"] + "/.well-known/openid-configuration", withhold_token=True).json()
    keys = KeySet.import_key_set(anyone.get(meta["jwks_uri"], withhold_token=True).json())
assert meta["issuer"] == given["issuer"]

key = ECKey.import_key(given["key"]) if METHOD == "private_key_jwt" else given["secret"]
session = client(key)
token, nonce = sign_in(session)
claims = id_token(token, nonce)
refuses(InvalidClaimError, lambda: id_token(token, "another nonce"))

told = session.get(meta["userinfo_endpoint"]).json()
assert (told["sub"], told["email"], told["name"]) == (claims["sub"], "alice@example.org", "alice Example"), told

signing = jwt.PyJWKClient(meta["jwks_uri"]).get_signing_key_from_jwt(token["access_token"])
api = {"algorithms": ["ES256"], "audience": given["api"], "issuer": given["issuer"]}
access = jwt.decode(token["access_token"], signing, **api)
assert (access["sub"], access["client_id"]) == (claims["sub"], "python"), access
assert jwt.get_unverified_header(token["access_token"])["typ"] == "at+jwt"
elsewhere = api | {"audience": "https://other.example"}
refuses(jwt.InvalidAudienceError, lambda: jwt.decode(token["access_token"], signing, **elsewhere))

before = dict(token)
renewed = session.refresh_token(meta["token_endpoint"])
assert renewed["refresh_token"] != before["refresh_token"]
assert renewed["access_token"] != before["access_token"]
assert session.get(meta["userinfo_endpoint"]).json()["sub"] == claims["sub"]

introspect = meta["introspection_endpoint"]
looked = session.introspect_token(introspect, token=renewed["access_token"], token_type_hint="access_token")
assert looked.headers["content-type"] == "application/json", looked.headers
assert looked.json()["active"] and looked.json()["sub"] == claims["sub"], looked.text
revoked = session.revoke_token(meta["revocation_endpoint"], token=renewed["refresh_token"])
assert revoked.status_code == 200 and "content-type" not in revoked.headers, revoked.headers
assert session.introspect_token(introspect, token=renewed["access_token"]).json() == {"active": False}
error = refuses(OAuthError, lambda: session.refresh_token(meta["token_endpoint"], renewed["refresh_token"]))
assert error.error == "invalid_grant", error

wrong = client(ECKey.generate_key("P-256") if METHOD == "private_key_jwt" else "not its secret")
error = refuses(OAuthError, lambda: sign_in(wrong))
assert error.error == "invalid_client", error

end = {"id_token_hint": before["id_token"], "post_logout_redirect_uri": given["bye"], "state": "a state"}
assert open_page(add_params_to_uri(meta["end_session_endpoint"], end.items())) == given["bye"] + "?state=a%20state"
url, _ = session.create_authorization_url(
    meta["authorization_endpoint"], code_verifier=generate_token(48), prompt="none"
)
assert parse_qs(urlsplit(open_page(url)).query)["error"] == ["login_required"]
done()
