//! The settings that are one word out of a few.

use super::schema::text_setting;
use super::suggest;

/// Defines an enum of words with their documentation.
macro_rules! words {
    ($(#[doc = $about:literal])* pub enum $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $doc])* #[doc = concat!("Written `", $word, "`.")] $variant,)*
        }

        impl $name {
            /// All, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    unknown(text, &[$($word),*])
                })
            }
        }

        text_setting!($name, one_of(&[$($word),*]));
    };
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("one of {}", quoted.join(", "))
}

fn unknown(text: &str, words: &[&str]) -> String {
    let hint = suggest::nearest(text, words.iter().copied());
    format!("expected {}, found {text:?}{}", one_of(words), suggest::did_you_mean(hint))
}

words! {
    /// How a client authenticates (OpenID Connect Core 1.0 §9).
    pub enum AuthMethodName {
        /// A secret in the Authorization header.
        ClientSecretBasic = "client_secret_basic",
        /// A secret in the body.
        ClientSecretPost = "client_secret_post",
        /// An assertion under a MAC by the secret.
        ClientSecretJwt = "client_secret_jwt",
        /// An assertion signed with a key of its own.
        PrivateKeyJwt = "private_key_jwt",
        /// Not at all: a public client.
        None = "none",
    }
}

words! {
    /// An algorithm that signs tokens (RFC 7518 §3.1, RFC 8037 §3.1).
    pub enum AlgorithmName {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256; every OpenID Connect client knows it.
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// ECDSA on P-521 with SHA-512.
        Es512 = "ES512",
        /// EdDSA with Ed25519.
        EdDsa = "EdDSA",
    }
}

words! {
    /// What the access tokens of a resource server look like.
    pub enum TokenFormatName {
        /// A signed JWT (RFC 9068).
        Jwt = "jwt",
        /// A name and a secret.
        Opaque = "opaque",
        /// A signed JWT, encrypted (RFC 7519 §11.2).
        Jwe = "jwe",
    }
}

words! {
    /// How SQLite waits for the disk at a commit.
    pub enum Synchronous {
        /// A commit that was acknowledged survives a power failure.
        Full = "full",
        /// The last commits may be lost at a power failure; the database stays whole.
        Normal = "normal",
    }
}

words! {
    /// What kind of client this is; it sets safe defaults.
    pub enum ClientProfile {
        /// A single-page app: public, code flow with PKCE, refresh tokens end with the browser session.
        Spa = "spa",
        /// A web application with a server: confidential, code flow with PKCE.
        Web = "web",
        /// An app on a phone or a desk: public, code flow with PKCE, loopback or private-use redirect URIs.
        Native = "native",
        /// A machine without a person: confidential, client credentials.
        Service = "service",
        /// An application of the operator's own: consent is not asked for.
        FirstParty = "first-party",
        /// An API that asks what tokens are: confidential, no grant.
        ResourceServer = "resource-server",
    }
}

words! {
    /// A grant, as `grant_type` names it (RFC 6749, RFC 8693).
    pub enum GrantName {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.3.
        Password = "password",
        /// This server's own: by the cookie of the browser session.
        Session = "urn:countersign:params:oauth:grant-type:session",
        /// RFC 8693 §2.1.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
}

words! {
    /// Who may register a client without the operator.
    pub enum RegistrationMode {
        /// Nobody.
        Off = "off",
        /// Whoever has an initial access token.
        Token = "token",
        /// Everybody.
        Open = "open",
    }
}

words! {
    /// How much the operator's log tells.
    pub enum LogLevel {
        /// Only what needs a person.
        Error = "error",
        /// And what may need one soon.
        Warn = "warn",
        /// And what happens in the ordinary course.
        Info = "info",
        /// And why decisions fell as they did.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

words! {
    /// The form of the operator's log.
    pub enum LogFormat {
        /// Lines for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_exact_and_a_near_miss_is_told() {
        assert_eq!("ES256".parse(), Ok(AlgorithmName::Es256));
        let told = "es256".parse::<AlgorithmName>().unwrap_err();
        assert!(told.contains("did you mean `ES256`?"), "{told}");
    }

    #[test]
    fn no_symmetric_algorithm_and_no_none() {
        for word in ["HS256", "none", ""] {
            assert!(word.parse::<AlgorithmName>().is_err(), "{word}");
        }
    }
}
