//! Argon2id (RFC 9106), bounded: so many at once, so many waiting, and the rest is told to come back. A storm of logins
//! can then starve neither memory nor token requests.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::base::entropy::{self, Entropy};

/// The cost of one hash and how many may run.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// The most hashes at once.
    pub max_parallel: usize,
    /// The most that wait for a place.
    pub max_waiting: usize,
}

/// Hashes and verifies passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    cost: PasswordCost,
    /// A hash of nothing that anyone knows: verified for users who do not exist, so that both take the same time.
    decoy: String,
    places: Mutex<Places>,
    freed: Condvar,
}

#[derive(Default)]
struct Places {
    running: usize,
    waiting: usize,
}

/// Why a password was not looked at, or not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Too many are waiting already.
    Busy,
    /// The hash could not be made or read; the text is for the operator.
    Broken(&'static str),
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Busy => f.write_str("too many password checks are waiting"),
            Self::Broken(text) => f.write_str(text),
        }
    }
}

impl Passwords {
    /// Prepares the hasher.
    ///
    /// # Errors
    /// When Argon2 refuses the cost, or there is no randomness for the decoy.
    pub fn new(cost: PasswordCost, source: &dyn Entropy) -> Result<Self, PasswordError> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|_| PasswordError::Broken("Argon2 refuses memory_kib, iterations or parallelism"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut passwords =
            Self { argon2, cost, decoy: String::new(), places: Mutex::default(), freed: Condvar::new() };
        let nobody_knows: [u8; 32] =
            entropy::bytes(source).map_err(|_| PasswordError::Broken("no randomness for the decoy hash"))?;
        passwords.decoy = passwords.hash_bytes(&nobody_knows, source)?;
        Ok(passwords)
    }

    /// A new hash in PHC form.
    ///
    /// # Errors
    /// When too many wait, or there is no randomness for the salt.
    pub fn hash(&self, password: &str, source: &dyn Entropy) -> Result<String, PasswordError> {
        let _place = self.wait_for_place()?;
        self.hash_bytes(password.as_bytes(), source)
    }

    fn hash_bytes(&self, password: &[u8], source: &dyn Entropy) -> Result<String, PasswordError> {
        let salt: [u8; 16] =
            entropy::bytes(source).map_err(|_| PasswordError::Broken("no randomness for a salt"))?;
        let hash = self
            .argon2
            .hash_password_with_salt(password, &salt)
            .map_err(|_| PasswordError::Broken("Argon2 could not hash"))?;
        Ok(hash.to_string())
    }

    /// Whether `password` belongs to `hash`; with `None`, the same work for a user who does not exist, and no.
    ///
    /// # Errors
    /// When too many wait.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let _place = self.wait_for_place()?;
        let matches = self.argon2.verify_password(password.as_bytes(), hash.unwrap_or(&self.decoy)).is_ok();
        Ok(matches && hash.is_some())
    }

    /// Whether a stored hash was made at another cost than today's.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(hash) else { return true };
        let stored = Params::try_from(&parsed);
        !stored.is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (self.cost.memory_kib, self.cost.iterations, self.cost.parallelism)
        })
    }

    fn wait_for_place(&self) -> Result<Place<'_>, PasswordError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.running >= self.cost.max_parallel {
            if places.waiting >= self.cost.max_waiting {
                return Err(PasswordError::Busy);
            }
            places.waiting += 1;
            while places.running >= self.cost.max_parallel {
                places = self.freed.wait(places).unwrap_or_else(PoisonError::into_inner);
            }
            places.waiting -= 1;
        }
        places.running += 1;
        Ok(Place { of: self })
    }
}

struct Place<'p> {
    of: &'p Passwords,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.of.places.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    fn cheap(max_waiting: usize) -> Passwords {
        let cost =
            PasswordCost { memory_kib: 64, iterations: 1, parallelism: 1, max_parallel: 1, max_waiting };
        Passwords::new(cost, &OsEntropy).unwrap()
    }

    #[test]
    fn a_hash_accepts_its_password_only_and_nobody_accepts_none() {
        let passwords = cheap(8);
        let hash = passwords.hash("correct horse", &OsEntropy).unwrap();
        assert!(passwords.verify("correct horse", Some(&hash)).unwrap());
        assert!(!passwords.verify("Correct horse", Some(&hash)).unwrap());
        assert!(!passwords.verify("correct horse", None).unwrap());
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        let passwords = cheap(8);
        let hash = passwords.hash("correct horse", &OsEntropy).unwrap();
        assert!(!passwords.is_outdated(&hash));
        assert!(passwords.is_outdated(&hash.replace("m=64", "m=128")));
    }

    #[test]
    fn whoever_finds_the_queue_full_is_told_so() {
        let passwords = cheap(0);
        let place = passwords.wait_for_place().unwrap();
        assert_eq!(passwords.verify("x", None), Err(PasswordError::Busy));
        drop(place);
        assert_eq!(passwords.verify("x", None), Ok(false));
    }
}
