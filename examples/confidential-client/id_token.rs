//! Who signed in: OpenID Connect Core 1.0 §3.1.3.7.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

const ALLOWED_ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::ES256, Algorithm::PS256, Algorithm::ES384, Algorithm::EdDSA];
const LEEWAY_S: u64 = 30;

/// What an ID token must be.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
}

/// The claims, once everything fits. `jwks` is what the issuer publishes at this moment: a login is rare enough to fetch
/// it each time, and then no rotation is ever missed. The error names what does not fit.
pub(crate) fn verify(token: &str, jwks: &Value, expected: &Expected<'_>) -> Result<Value, &'static str> {
    let header = decode_header(token).map_err(|_| "it is not a signed JWT")?;
    if !ALLOWED_ALGORITHMS.contains(&header.alg) {
        return Err("its algorithm is not allowed");
    }
    if header.crit.is_some() {
        return Err("it has critical parameters that are not supported");
    }
    // RFC 8725 §3.11: an access token of the same issuer, signed with the same key, is not an ID token.
    if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err("it is a token of another type");
    }
    let kid = header.kid.as_deref().ok_or("it does not say which key signed it")?;
    let key = jwks["keys"]
        .as_array()
        .and_then(|keys| keys.iter().find(|key| key["kid"] == kid))
        .ok_or("the issuer publishes no such key")?;
    let key: Jwk = serde_json::from_value(key.clone()).map_err(|_| "its key cannot be read")?;
    let key = DecodingKey::from_jwk(&key).map_err(|_| "its key cannot be used")?;

    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY_S;
    let claims = decode::<Value>(token, &key, &validation)
        .map_err(|_| "its signature, issuer, audience or time does not fit")?
        .claims;

    // Points 4 and 5: a token for several parties must name this one as the party that it was made for.
    let several = claims["aud"].as_array().is_some_and(|audience| audience.len() > 1);
    if (several || claims.get("azp").is_some()) && claims["azp"] != expected.client_id {
        return Err("it was made for another client");
    }
    // Point 11. Ties the token to the browser that began this login: a code from another login ends here.
    if claims["nonce"] != expected.nonce {
        return Err("it does not belong to this login (nonce)");
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::{Expected, verify};
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://id.example", client_id: "demo-web", nonce: "n" };

    fn good_header() -> Header {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k".to_owned());
        header
    }

    fn good_claims() -> Value {
        let now = get_current_timestamp();
        json!({"iss": "https://id.example", "sub": "u", "aud": "demo-web", "exp": now + 300, "iat": now, "nonce": "n"})
    }

    fn verified(header: &Header, claims: &Value) -> Result<Value, &'static str> {
        let der = rcgen::KeyPair::generate().unwrap().serialize_der();
        let key = EncodingKey::from_ec_der(&der);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        public.common.key_id = Some("k".to_owned());
        verify(&encode(header, claims, &key).unwrap(), &json!({"keys": [public]}), &EXPECTED)
    }

    #[test]
    fn a_good_token_tells_who_signed_in() {
        assert_eq!(verified(&good_header(), &good_claims()).unwrap()["sub"], "u");
    }

    #[test]
    fn every_claim_must_fit() {
        for (claim, value) in [
            ("iss", json!("https://id.example/")),
            ("aud", json!("other")),
            ("aud", json!(["demo-web", "other"])),
            ("azp", json!("other")),
            ("exp", json!(get_current_timestamp() - 60)),
            ("nbf", json!(get_current_timestamp() + 60)),
            ("nonce", json!("other")),
        ] {
            let mut claims = good_claims();
            claims[claim] = value.clone();
            assert!(verified(&good_header(), &claims).is_err(), "{claim}: {value}");
        }
    }

    #[test]
    fn every_claim_must_be_there() {
        for claim in ["iss", "sub", "aud", "exp", "nonce"] {
            let mut claims = good_claims();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(verified(&good_header(), &claims).is_err(), "{claim}");
        }
    }

    #[test]
    fn an_access_token_is_not_an_id_token() {
        let header = Header { typ: Some("at+jwt".to_owned()), ..good_header() };
        assert_eq!(verified(&header, &good_claims()), Err("it is a token of another type"));
    }

    #[test]
    fn a_key_that_is_not_published_is_refused() {
        let header = Header { kid: Some("other".to_owned()), ..good_header() };
        assert_eq!(verified(&header, &good_claims()), Err("the issuer publishes no such key"));
    }

    #[test]
    fn a_token_signed_by_hmac_is_refused() {
        let header = Header { alg: Algorithm::HS256, ..good_header() };
        let token = encode(&header, &good_claims(), &EncodingKey::from_secret(b"secret")).unwrap();
        let jwks = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}]});
        assert_eq!(verify(&token, &jwks, &EXPECTED), Err("its algorithm is not allowed"));
    }

    #[test]
    fn a_signature_by_another_key_is_refused() {
        let other = EncodingKey::from_ec_der(&rcgen::KeyPair::generate().unwrap().serialize_der());
        let key = EncodingKey::from_ec_der(&rcgen::KeyPair::generate().unwrap().serialize_der());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        public.common.key_id = Some("k".to_owned());
        let token = encode(&good_header(), &good_claims(), &other).unwrap();
        assert!(verify(&token, &json!({"keys": [public]}), &EXPECTED).is_err());
    }
}
