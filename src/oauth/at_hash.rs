//! `at_hash` (OpenID Connect Core 1.0 §3.1.3.6): which access token an ID token came with.

use crate::base::encoding::{base64url, sha256, sha384, sha512};

use super::algorithm::SigningAlgorithm;

/// "Its value is the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
/// access_token value, where the hash algorithm used is the hash algorithm used in the alg Header Parameter of the ID
/// Token's JOSE Header." That of Ed25519 is SHA-512 (RFC 8032 §5.1).
#[must_use]
pub fn at_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    let token = access_token.as_bytes();
    match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
            base64url(&sha256(token)[..16])
        }
        SigningAlgorithm::Es384 => base64url(&sha384(token)[..24]),
        SigningAlgorithm::Es512 | SigningAlgorithm::EdDsa => base64url(&sha512(token)[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenID Connect Core A.3 has this access token and its hash in an example; RFC 8032 §5.1 names the hash of Ed25519.
    #[test]
    fn the_hash_is_that_of_the_spec_and_as_long_as_half_of_the_algorithms() {
        assert_eq!(
            at_hash(SigningAlgorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        assert_eq!(at_hash(SigningAlgorithm::Es384, "a").len(), 32);
        for algorithm in [SigningAlgorithm::Es512, SigningAlgorithm::EdDsa] {
            assert_eq!(at_hash(algorithm, "a").len(), 43);
        }
    }
}
