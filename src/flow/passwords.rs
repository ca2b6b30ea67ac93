//! Argon2id (RFC 9106), bounded: so many at once, so many waiting, and the rest is told to come back. A storm of logins
//! can then starve neither memory nor token requests.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash};

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
    /// Verified for users who do not exist, so that both take the same time.
    decoy: String,
    places: Mutex<Places>,
    freed: Condvar,
}

#[derive(Default)]
struct Places {
    running: usize,
    waiting: usize,
    /// Memory that a hash left for the next one that waits: while there is a queue, nobody pays for fresh pages.
    spare: Vec<Vec<Block>>,
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
        let random: [u8; 48] =
            entropy::bytes(source).map_err(|_| PasswordError::Broken("no randomness for the decoy hash"))?;
        let decoy = decoy(&argon2, &random)
            .map_err(|_| PasswordError::Broken("the decoy hash could not be written"))?;
        Ok(Self { argon2, cost, decoy, places: Mutex::default(), freed: Condvar::new() })
    }

    /// A new hash in PHC form.
    ///
    /// # Errors
    /// When too many wait, or there is no randomness for the salt.
    pub fn hash(&self, password: &str, source: &dyn Entropy) -> Result<String, PasswordError> {
        let mut place = self.wait_for_place()?;
        let salt: [u8; 16] =
            entropy::bytes(source).map_err(|_| PasswordError::Broken("no randomness for a salt"))?;
        computed(&self.argon2, password, &salt, &mut place.memory)
            .and_then(|output| written(&self.argon2, &salt, output))
            .map_err(|_| PasswordError::Broken("Argon2 could not hash"))
    }

    /// Whether `password` belongs to `hash`; with `None`, the same work for a user who does not exist, and no.
    ///
    /// # Errors
    /// When too many wait.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let mut place = self.wait_for_place()?;
        let hash_or_decoy = hash.unwrap_or(&self.decoy);
        let matches = gives(password, hash_or_decoy, &mut place.memory).unwrap_or(false);
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
        Ok(Place { of: self, memory: places.spare.pop().unwrap_or_default() })
    }
}

/// Whether `password` gives `hash`, at the cost that the hash names.
fn gives(password: &str, hash: &str, memory: &mut Vec<Block>) -> password_hash::Result<bool> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(output)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(hash.algorithm.as_str().try_into()?, version, Params::try_from(&hash)?);
    // `Output` compares in constant time.
    Ok(computed(&argon2, password, salt, memory)? == *output)
}

fn computed(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> password_hash::Result<Output> {
    let params = argon2.params();
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = buffer.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    grow(memory, params.block_count());
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory)?;
    Ok(Output::new(output)?)
}

/// Makes room for one hash, in memory that goes back to the system when it is dropped. What glibc's `malloc` is asked for
/// beyond 32 MiB is mapped and unmapped for itself; a shorter piece, once freed, teaches it to keep such pieces, and then
/// every thread of the pool holds on to the memory of one hash. So more is asked for than is used: pages that are not
/// touched cost nothing.
fn grow(memory: &mut Vec<Block>, blocks: usize) {
    const OF_ITS_OWN: usize = 32 * 1024 * 1024 / Block::SIZE + 1;
    if memory.len() < blocks {
        memory.reserve(blocks.max(OF_ITS_OWN) - memory.len());
        memory.resize(blocks, Block::new());
    }
}

/// A hash of today's form and cost whose output is random: no password is known to give it, and a look at one takes the
/// work of any other. It is written, not computed, so that a start costs no Argon2.
fn decoy(argon2: &Argon2<'_>, random: &[u8; 48]) -> password_hash::Result<String> {
    let (salt, output) = random.split_at(16);
    written(argon2, salt, Output::new(output)?)
}

/// In PHC form.
fn written(argon2: &Argon2<'_>, salt: &[u8], output: Output) -> password_hash::Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(Salt::new(salt)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

struct Place<'p> {
    of: &'p Passwords,
    memory: Vec<Block>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut places = self.of.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.running -= 1;
        if places.waiting > 0 {
            places.spare.push(std::mem::take(&mut self.memory));
        }
        drop(places);
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

    /// From `src/test.c` of the reference implementation, at a cost that is not ours.
    #[test]
    fn the_reference_implementations_hash_is_understood() {
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(gives("password", known, &mut Vec::new()), Ok(true));
        assert_eq!(gives("Password", known, &mut Vec::new()), Ok(false));
    }

    #[test]
    fn the_decoy_differs_from_a_real_hash_in_its_random_bytes_only() {
        let passwords = cheap(8);
        let real = passwords.hash("correct horse", &OsEntropy).unwrap();
        let shape = |hash: &str| {
            let fields: Vec<&str> = hash.split('$').collect();
            (fields[..4].join("$"), fields[4].len(), fields[5].len())
        };
        assert_eq!(shape(&passwords.decoy), shape(&real));
        // Argon2 ran and came to another output; a hash that cannot be read would be an error, and told at once.
        assert_eq!(gives("correct horse", &passwords.decoy, &mut Vec::new()), Ok(false));
    }

    #[test]
    fn memory_is_handed_on_while_somebody_waits_and_kept_by_nobody() {
        let passwords = cheap(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(passwords.verify("x", None), Ok(false)));
            }
        });
        let places = passwords.places.lock().unwrap();
        assert_eq!((places.running, places.waiting, places.spare.len()), (0, 0, 0));
    }

    #[test]
    fn memory_of_another_hash_changes_no_result() {
        let passwords = cheap(8);
        let hash = passwords.hash("correct horse", &OsEntropy).unwrap();
        let mut memory = Vec::new();
        for password in ["wrong", "correct horse"] {
            assert_eq!(gives(password, &hash, &mut memory), Ok(password == "correct horse"));
        }
        // A hash of less memory, in what a bigger one left.
        let cost = PasswordCost { memory_kib: 32, ..passwords.cost };
        let smaller = Passwords::new(cost, &OsEntropy).unwrap().hash("correct horse", &OsEntropy).unwrap();
        assert_eq!(gives("correct horse", &smaller, &mut memory), Ok(true));
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
