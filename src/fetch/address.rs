//! Which addresses are asked at all, by their letters alone.

use url::{Host, Url};

use super::FetchError;

const MAX_CHARS: usize = 2048;

/// An https URL that may be asked, in the one form in which it goes on: whoever parses it again reads the same host.
///
/// # Errors
/// [`FetchError::Address`] says what is wrong with it.
pub fn address(text: &str) -> Result<Url, FetchError> {
    if text.len() > MAX_CHARS {
        return Err(FetchError::Address("the address is longer than 2048 bytes"));
    }
    let mut url = Url::parse(text).map_err(|_| FetchError::Address("not an absolute URL"))?;
    if url.scheme() != "https" {
        return Err(FetchError::Address("only https addresses are asked"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Address("no user name and no password may stand in the address"));
    }
    match url.host() {
        Some(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() => {}
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        _ => return Err(FetchError::Address("the address names no host")),
    }
    if url.port() == Some(0) {
        return Err(FetchError::Address("port 0 is no port"));
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_without_a_user_is_asked() {
        for text in [
            "http://client.example/jwks",
            "ftp://client.example/",
            "file:///etc/passwd",
            "https://user@client.example/",
            "https://user:word@client.example/",
            "https://@/x",
            "https://client.example:0/",
            "https:///",
            "/jwks",
            "",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert!(address(&format!("https://client.example/{}", "a".repeat(MAX_CHARS))).is_err());
        assert_eq!(address("https://Client.Example:443/a#b").unwrap().as_str(), "https://client.example/a");
    }

    /// One number, hexadecimal digits, fewer than four parts: all of them are the same address to a resolver.
    #[test]
    fn an_address_in_disguise_shows_its_face() {
        for text in ["https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/"] {
            assert_eq!(address(text).unwrap().as_str(), "https://127.0.0.1/", "{text}");
        }
    }
}
