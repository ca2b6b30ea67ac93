//! The happy path, end to end, on both databases.

use super::support::flow::{claims, code, redemption};
use super::support::{TestServer, on_each_database};

#[test]
fn a_user_signs_in_agrees_and_the_client_gets_tokens() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "app", &[]);
        let answer = server.public_token("app", &redemption(&code));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let access = claims(&answer.text("access_token"));
        assert_eq!(access["aud"], "https://notes.example");
        assert_eq!(access["sub"], server.user("alice").id.to_string());
        assert_eq!(access["scope"], "openid notes:read");
        assert!(answer.json().get("refresh_token").is_none());
    });
}
