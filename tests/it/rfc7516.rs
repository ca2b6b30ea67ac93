//! Names of encryption (RFC 7516 §4.1.1 `alg`, §4.1.2 `enc`; RFC 7518 §4.1, §5.1) that resource servers may have.

use countersign::oauth::algorithm::{ContentEncryption, KeyManagement};

/// RFC 8725 §3.2: RSA1_5 has been attacked for decades; PBES2 lets a token dictate the work; the symmetric ways share a key.
#[test]
fn what_the_field_has_given_up_has_no_value() {
    for name in ["RSA1_5", "RSA-OAEP", "dir", "A128KW", "A256GCMKW", "PBES2-HS512+A256KW", "none"] {
        assert!(name.parse::<KeyManagement>().is_err(), "{name}");
    }
    for name in ["A128CBC-HS256", "A192GCM", "none", "a256gcm"] {
        assert!(name.parse::<ContentEncryption>().is_err(), "{name}");
    }
}
