//! A browser session: who signed in, when, and until when that counts.

use crate::base::{HashedToken, Id, Seconds, Timestamp};
use crate::oauth::ClientId;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it in the log and in authorizations.
    pub id: Id,
    /// The hash of the cookie.
    pub token_hash: HashedToken,
    /// Who signed in.
    pub user_id: Id,
    /// `auth_time`: when the user last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_seen_at: Timestamp,
    /// The latest end, however much it is used.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// Whether its user asked to stay signed in: then it outlives the browser, and has lifetimes of its own.
    pub remembered: bool,
    /// In which browser it began, in a few words ([`browser_label`]).
    pub browser: Option<String>,
}

/// How long sessions may lie idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleTtls {
    /// One that ends with its browser.
    pub ordinary: Seconds,
    /// One whose user asked to stay signed in.
    pub remembered: Seconds,
}

impl Session {
    /// Whether it counts at `now`, given how long it may lie idle.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp, idle: IdleTtls) -> bool {
        let idle_ttl = if self.remembered { idle.remembered } else { idle.ordinary };
        self.ended_at.is_none()
            && !self.expires_at.is_past(now)
            && !(self.last_seen_at + idle_ttl).is_past(now)
    }

    /// Whether its use should be written down (not at every request: a write costs more than it tells). Often enough that
    /// an idle life is not cut short by much.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp, idle: IdleTtls) -> bool {
        let idle_ttl = if self.remembered { idle.remembered } else { idle.ordinary };
        (now - self.last_seen_at).0 >= (idle_ttl.0 / 10).clamp(1, 60)
    }
}

/// `sid` (OpenID Connect Front-Channel Logout 1.0 §3): what a client knows a session by. Each knows it by another, so that
/// two of them cannot compare.
#[must_use]
pub fn sid(session: Id, client: &ClientId) -> String {
    Id::named(&["sid", &session.to_string(), client.as_str()]).to_string()
}

/// What a `User-Agent` header (RFC 9110 §10.1.5) comes to for its owner: "Firefox, Linux". It is made of words of our own
/// only, so that nothing a stranger wrote is kept or shown; what is not known is left out.
#[must_use]
pub fn browser_label(user_agent: &str) -> Option<String> {
    // What stands first wins: most browsers also name those that they descend from.
    const BROWSERS: [(&str, &str); 10] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Vivaldi/", "Vivaldi"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 8] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Macintosh", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
        ("X11", "Unix"),
    ];
    let named = |words: &[(&str, &'static str)]| {
        words.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, word)| *word)
    };
    let words: Vec<&str> = [named(&BROWSERS), named(&SYSTEMS)].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9110 §10.1.5: the header is what the browser says of itself, and anybody can say anything.
    #[test]
    fn a_user_agent_comes_to_a_few_words_of_our_own() {
        let label = |text: &str| browser_label(text).unwrap_or_default();
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(label(chrome), "Chrome, Linux");
        assert_eq!(label(&format!("{chrome} Edg/130.0.0.0")), "Edge, Linux");
        let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0";
        assert_eq!(label(firefox), "Firefox, Windows");
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        assert_eq!(label(iphone), "Safari, iPhone");
        let phone = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36";
        assert_eq!(label(phone), "Chrome, Android");
        assert_eq!(browser_label("curl/8.5.0"), None);
        assert_eq!(browser_label("<script>alert(1)</script>"), None);
        assert_eq!(label("<b>Firefox/ on Linux</b>"), "Firefox, Linux");
    }

    #[test]
    fn each_client_knows_a_session_by_a_name_of_its_own() {
        let session =
            |last: &str| format!("00000000-0000-4000-8000-00000000000{last}").parse::<Id>().unwrap();
        let (web, app): (ClientId, ClientId) = ("web".parse().unwrap(), "app".parse().unwrap());
        assert_eq!(sid(session("1"), &web), sid(session("1"), &web));
        assert_ne!(sid(session("1"), &web), sid(session("1"), &app));
        assert_ne!(sid(session("1"), &web), sid(session("2"), &web));
        assert_ne!(sid(session("1"), &web), session("1").to_string());
    }
}
