//! RFC 7636 (PKCE) at both endpoints, and the downgrades of RFC 9700 §2.1.1 and §4.8.2.

use countersign::base::encoding::{base64url, sha256};

use super::support::flow::{VERIFIER, authorize, challenge, changed, code, redemption};
use super::support::http::Answer;
use super::support::{TestServer, on_each_database};

/// The answer of the authorization endpoint to a request of a client that is sent back with an error.
fn refused(server: &TestServer, client: &str, with: &[(&str, &str)]) -> (String, String) {
    let answer = authorize(&mut server.browser(), client, with);
    assert_eq!(answer.sent("code"), None, "{with:?}");
    (answer.sent("error").unwrap(), answer.sent("error_description").unwrap())
}

fn redeem(server: &TestServer, code: &str, verifier: &str) -> Answer {
    server.public_token("app", &changed(&redemption(code), "code_verifier", verifier))
}

/// RFC 7636 §4.2 and RFC 7636 Appendix B: the verifier and the challenge of the specification's own example.
#[test]
fn the_example_of_the_rfc_is_accepted() {
    let server = TestServer::start();
    assert_eq!(challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let code = code(&server, "app", &[]);
    assert_eq!(redeem(&server, &code, VERIFIER).status, 200);
}

/// RFC 7636 §4.4.1: "the authorization endpoint MUST return the authorization error response with the "error"
/// value set to "invalid_request"". RFC 9700 §2.1.1: public clients MUST use PKCE; here others too, unless
/// the operator says otherwise.
#[test]
fn a_request_without_a_challenge_is_refused() {
    let server = TestServer::start();
    for client in ["app", "native", "web", "house"] {
        let without = [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "notes:read")];
        let (error, text) = refused(&server, client, &without);
        assert_eq!(error, "invalid_request", "{client}");
        assert!(text.contains("code_challenge is missing"), "{text}");
    }
}

/// RFC 7636 §4.3: the method defaults to "plain", which this server never takes; a challenge is always 43
/// letters long.
#[test]
fn plain_and_whatever_is_no_s256_challenge_is_refused() {
    let server = TestServer::start();
    let (padded, short) = (format!("{}=", challenge()), challenge()[1..].to_owned());
    let standard = challenge().replace('-', "+");
    for client in ["app", "old-web"] {
        for with in [
            [("code_challenge_method", "plain"), ("code_challenge", VERIFIER)],
            [("code_challenge_method", ""), ("code_challenge", VERIFIER)],
            [("code_challenge_method", ""), ("code_challenge", &challenge())],
            [("code_challenge_method", "s256"), ("code_challenge", &challenge())],
            [("code_challenge_method", "S512"), ("code_challenge", &challenge())],
            [("code_challenge_method", "S256"), ("code_challenge", "")],
            [("code_challenge_method", "S256"), ("code_challenge", &padded)],
            [("code_challenge_method", "S256"), ("code_challenge", &short)],
            [("code_challenge_method", "S256"), ("code_challenge", &standard)],
            [("code_challenge_method", "S256"), ("code_challenge", "zu kurz")],
        ] {
            let mut all = with.to_vec();
            all.push(("scope", "notes:read"));
            assert_eq!(refused(&server, client, &all).0, "invalid_request", "{client} {with:?}");
        }
    }
}

/// RFC 7636 §4.5: the client sends `code_verifier` with the code. RFC 7636 §4.6: "If the values are not
/// equal, an error response indicating "invalid_grant" […] MUST be returned." A wrong guess does not burn the
/// code: otherwise whoever saw it could keep its owner out.
#[test]
fn a_wrong_verifier_is_refused_and_does_not_burn_the_code() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "app", &[]);
        let other_case = VERIFIER.to_uppercase();
        let longer = format!("{VERIFIER}A");
        let challenge = challenge();
        let twice = base64url(&sha256(challenge.as_bytes()));
        for (name, verifier) in [
            ("left out", ""),
            ("another", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("in capitals", &other_case),
            ("one letter longer", &longer),
            ("the challenge itself", &challenge),
            ("the challenge of the challenge", &twice),
        ] {
            assert_eq!(redeem(&server, &code, verifier).error(), "invalid_grant", "{name}");
        }
        assert_eq!(redeem(&server, &code, VERIFIER).status, 200);
    });
}

/// RFC 7636 §4.1: 43 to 128 characters of ALPHA / DIGIT / "-" / "." / "_" / "~".
#[test]
fn a_verifier_that_cannot_be_one_is_an_invalid_request() {
    let server = TestServer::start();
    let code = code(&server, "app", &[]);
    let (short, long) = ("a".repeat(42), "a".repeat(129));
    let odd = ["+", "/", "=", " ", "é", "%"].map(|letter| format!("{}{letter}", "a".repeat(45)));
    for verifier in odd.iter().chain([&short, &long]) {
        assert_eq!(redeem(&server, &code, verifier).error(), "invalid_request", "{verifier}");
    }
    assert_eq!(redeem(&server, &code, VERIFIER).status, 200);
}

#[test]
fn a_verifier_may_have_43_to_128_letters_of_each_allowed_kind() {
    let server = TestServer::start();
    for verifier in ["-._~".repeat(32), format!("{}-._~09azAZ", "b".repeat(33))] {
        let challenge = base64url(&sha256(verifier.as_bytes()));
        let code = code(&server, "app", &[("code_challenge", &challenge)]);
        assert_eq!(redeem(&server, &code, &verifier).status, 200, "{verifier}");
    }
}

/// RFC 9700 §4.8.2, the downgrade: an attacker strips the challenge from the authorization request, and the
/// honest client, which sends its verifier as ever, redeems a code that was never bound to it.
#[test]
fn a_verifier_for_a_code_without_a_challenge_is_refused() {
    let server = TestServer::start();
    let without = [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "notes:read")];
    let code = code(&server, "old-web", &without);
    assert_eq!(server.token("old-web", &redemption(&code)).error(), "invalid_grant");
    let honest = changed(&redemption(&code), "code_verifier", "");
    assert_eq!(server.token("old-web", &honest).status, 200);
}

/// The other way round: a client that need not use PKCE did, so its code is bound all the same.
#[test]
fn a_challenge_binds_even_where_it_was_not_required() {
    let server = TestServer::start();
    let code = code(&server, "old-web", &[("scope", "notes:read")]);
    let without = changed(&redemption(&code), "code_verifier", "");
    assert_eq!(server.token("old-web", &without).error(), "invalid_grant");
    assert_eq!(server.token("old-web", &redemption(&code)).status, 200);
}

/// RFC 9700 §4.5, code injection: a stolen code, put into the attacker's own session with the same client,
/// meets the attacker's verifier.
#[test]
fn a_code_fits_the_verifier_of_its_own_request_only() {
    let server = TestServer::start();
    let mine = "m".repeat(43);
    let stolen = code(&server, "app", &[]);
    let own = code(&server, "app", &[("code_challenge", &base64url(&sha256(mine.as_bytes())))]);
    assert_eq!(redeem(&server, &stolen, &mine).error(), "invalid_grant");
    assert_eq!(redeem(&server, &own, VERIFIER).error(), "invalid_grant");
    assert_eq!((redeem(&server, &stolen, VERIFIER).status, redeem(&server, &own, &mine).status), (200, 200));
}
