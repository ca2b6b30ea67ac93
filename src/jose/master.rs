//! The master key of this node: 32 bytes outside of the database, under which everything in it that is secret is sealed.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::{Zeroize as _, Zeroizing};

use crate::base::encoding::{base64url, from_base64url, sha256};
use crate::base::entropy::{self, Entropy, EntropyError};

const MAX_FILE_BYTES: u64 = 4096;
const ID_DOMAIN: &[u8] = b"countersign master key id";

/// A key of 256 bits. It cannot be printed or compared.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

/// The key that seals, and earlier ones that may still open.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    /// Seals and opens.
    pub current: MasterKey,
    /// Open only, until everything is sealed anew.
    pub previous: Vec<MasterKey>,
}

/// Why there is no master key. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Not there, and it may not be made.
    #[error(
        "the master key file {0} does not exist, and the database already has keys that are sealed under it: \
         restore the file from its backup, or set COUNTERSIGN_KEYS__MASTER_KEY"
    )]
    Missing(PathBuf),
    /// Others than the owner may read it.
    #[error("the master key file {path} is open to group or others (mode {mode:04o}); run: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not 32 bytes in base64url.
    #[error(
        "{0} holds no master key: expected 32 bytes in unpadded base64url (43 characters) and nothing else"
    )]
    Malformed(String),
    /// The file system refused.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl MasterKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let input = Zeroizing::new([ID_DOMAIN, bytes.as_slice()].concat());
        let mut id = base64url(&sha256(&input));
        id.truncate(16);
        Self { id, bytes }
    }

    /// A new key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(source: &dyn Entropy) -> Result<Self, EntropyError> {
        entropy::bytes(source).map(Self::from_bytes)
    }

    /// The first 16 characters of base64url(SHA-256("countersign master key id" ‖ key)): names the key, gives nothing away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Reads the file. It must belong to its owner alone and hold one key.
    ///
    /// # Errors
    /// See [`MasterKeyError`].
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |what| move |source| MasterKeyError::Io { what, path: path.to_owned(), source };
        let file = File::open(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => MasterKeyError::Missing(path.to_owned()),
            _ => io("cannot open the master key file")(source),
        })?;
        check_mode(path, &file.metadata().map_err(io("cannot examine the master key file"))?)?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(|source| match source.kind() {
            ErrorKind::InvalidData => MasterKeyError::Malformed(path.display().to_string()),
            _ => io("cannot read the master key file")(source),
        })?;
        parse(&text).ok_or_else(|| MasterKeyError::Malformed(path.display().to_string()))
    }

    /// Reads the file, or makes it when it is missing and `may_create`: the caller allows that only while the database has
    /// no key that another master key could have sealed. Tells whether it was made.
    ///
    /// # Errors
    /// See [`MasterKeyError`].
    pub fn load_or_create(
        path: &Path,
        may_create: bool,
        source: &dyn Entropy,
    ) -> Result<(Self, bool), MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::Missing(_)) if may_create => {
                let key = Self::random(source)?;
                match create(path, &key, source)? {
                    Created::Here => Ok((key, true)),
                    Created::Elsewhere => Ok((Self::load(path)?, false)),
                }
            }
            other => other.map(|key| (key, false)),
        }
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;
    fn from_str(text: &str) -> Result<Self, MasterKeyError> {
        parse(text).ok_or_else(|| MasterKeyError::Malformed("the text".to_owned()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.id)
    }
}

fn parse(text: &str) -> Option<MasterKey> {
    let decoded = Zeroizing::new(from_base64url(text.trim())?);
    let mut bytes = <[u8; 32]>::try_from(decoded.as_slice()).ok()?;
    let key = MasterKey::from_bytes(bytes);
    bytes.zeroize();
    Some(key)
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), MasterKeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(MasterKeyError::Open { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), MasterKeyError> {
    Ok(())
}

enum Created {
    Here,
    /// Another process was quicker; its key counts.
    Elsewhere,
}

/// Written aside, synced, then linked to its name: a crash leaves a whole file or none, and a link, unlike a rename, never
/// replaces the key that another process has made meanwhile.
fn create(path: &Path, key: &MasterKey, source: &dyn Entropy) -> Result<Created, MasterKeyError> {
    let io = |what| move |source| MasterKeyError::Io { what, path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(io("cannot make the folder of the master key file"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = folder.join(format!(".{name}.{}.new", base64url(&entropy::bytes::<9>(source)?)));
    let made = write_new(&aside, key)
        .and_then(|()| publish(&aside, path))
        .map_err(io("cannot write the master key file"));
    // The file aside is only another name of the key by now, or the rest of a failure.
    let _ = fs::remove_file(&aside);
    let made = made?;
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("cannot sync the folder of"))?;
    }
    Ok(made)
}

fn write_new(aside: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(aside)?;
    let text = Zeroizing::new(format!("{}\n", base64url(key.bytes())));
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn publish(aside: &Path, path: &Path) -> std::io::Result<Created> {
    match fs::hard_link(aside, path) {
        Ok(()) => Ok(Created::Here),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::Elsewhere),
        // A file system without links (FAT, some network mounts).
        Err(_) if !path.try_exists()? => fs::rename(aside, path).map(|()| Created::Here),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn the_id_names_the_key_and_nothing_else_is_shown() {
        let text = base64url(&[7; 32]);
        let key: MasterKey = text.parse().unwrap();
        let expected = base64url(&sha256(&[ID_DOMAIN, &[7; 32]].concat()));
        assert_eq!(key.id(), &expected[..16]);
        assert!(!format!("{key:?}").contains(&text));
    }

    #[test]
    fn only_32_bytes_are_a_key() {
        for bad in
            [String::new(), base64url(&[7; 31]), base64url(&[7; 33]), format!("{}=", base64url(&[7; 32]))]
        {
            assert!(matches!(bad.parse::<MasterKey>(), Err(MasterKeyError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_missing_file_is_made_only_when_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let refused = MasterKey::load_or_create(&path, false, &OsEntropy).unwrap_err();
        assert!(matches!(refused, MasterKeyError::Missing(_)) && !path.exists());

        let (made, created) = MasterKey::load_or_create(&path, true, &OsEntropy).unwrap();
        assert!(created);
        let (read, created) = MasterKey::load_or_create(&path, true, &OsEntropy).unwrap();
        assert!(!created && read.id() == made.id());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn of_many_that_make_the_file_at_once_all_end_with_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let ids: std::collections::HashSet<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        MasterKey::load_or_create(&path, true, &OsEntropy).unwrap().0.id().to_owned()
                    })
                })
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::load_or_create(&path, true, &OsEntropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let text = MasterKey::load(&path).unwrap_err().to_string();
            assert!(text.contains(&format!("chmod 600 {}", path.display())), "{text}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(MasterKey::load(&path).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_malformed_file_is_refused_and_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        for content in [&b""[..], b"short", b"\xff\xfe", &[b'A'; 5000]] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = MasterKey::load_or_create(&path, true, &OsEntropy).unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed(_)), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
