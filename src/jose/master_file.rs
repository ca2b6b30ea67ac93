//! The file of the master key, open to its owner alone:
//!
//! ```text
//! KEY              seals and opens
//! next KEY         only opens: other nodes may seal with it already
//! previous KEY     only opens: until everything is sealed anew
//! ```
//!
//! One line is the rule. The others are there while the master key is changed under running nodes.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::master::{MasterKey, MasterKeyError, parse};
use crate::base::encoding::base64url;
use crate::base::entropy::{self, Entropy};

const MAX_FILE_BYTES: u64 = 4096;

/// The keys in a master key file.
#[derive(Clone, Debug)]
pub struct MasterKeyFile {
    /// Seals and opens.
    pub current: MasterKey,
    /// The one that will seal next; it opens already.
    pub next: Option<MasterKey>,
    /// Those that sealed before; they open still.
    pub previous: Vec<MasterKey>,
}

impl MasterKeyFile {
    /// Reads the file. It must belong to its owner alone.
    ///
    /// # Errors
    /// See [`MasterKeyError`].
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |what| io(path, what);
        let file = File::open(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => MasterKeyError::Missing(path.to_owned()),
            _ => io("cannot open the master key file")(source),
        })?;
        check_mode(path, &file.metadata().map_err(io("cannot examine the master key file"))?)?;
        let mut text = Zeroizing::new(String::with_capacity(256));
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(|source| match source.kind() {
            ErrorKind::InvalidData => MasterKeyError::Malformed(path.display().to_string()),
            _ => io("cannot read the master key file")(source),
        })?;
        Self::parse(&text).ok_or_else(|| MasterKeyError::Malformed(path.display().to_string()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (mut current, mut next, mut previous) = (None, None, Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(' ') {
                None if current.is_none() => current = Some(parse(line)?),
                Some(("next", key)) if next.is_none() => next = Some(parse(key)?),
                Some(("previous", key)) => previous.push(parse(key)?),
                _ => return None,
            }
        }
        Some(Self { current: current?, next, previous })
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let next = self.next.iter().map(|key| ("next ", key));
        let previous = self.previous.iter().map(|key| ("previous ", key));
        for (word, key) in std::iter::once(("", &self.current)).chain(next).chain(previous) {
            text.push_str(word);
            text.push_str(&Zeroizing::new(base64url(key.bytes())));
            text.push('\n');
        }
        text
    }

    /// Every key that only opens.
    pub fn opening(&self) -> impl Iterator<Item = &MasterKey> {
        self.next.iter().chain(&self.previous)
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
                let file = Self { current: MasterKey::random(source)?, next: None, previous: Vec::new() };
                match create(path, &file, source)? {
                    Created::Here => Ok((file, true)),
                    Created::Elsewhere => Ok((Self::load(path)?, false)),
                }
            }
            other => other.map(|file| (file, false)),
        }
    }

    /// Changes the file as a whole: whoever reads it meanwhile sees the one or the other. One change at a time; owner and
    /// mode stay. What `change` refuses changes nothing.
    ///
    /// # Errors
    /// See [`MasterKeyError`], and what `change` says.
    pub fn change<E: From<MasterKeyError>>(
        path: &Path,
        change: impl FnOnce(Self) -> Result<Self, E>,
    ) -> Result<Self, E> {
        // The file itself, not a link to it, is what is replaced.
        let path = fs::canonicalize(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => MasterKeyError::Missing(path.to_owned()),
            _ => io(path, "cannot find the master key file")(source),
        })?;
        let (folder, name) = parts(&path);
        let aside = folder.join(format!(".{name}.change"));
        let mut file = new_private(&aside).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => MasterKeyError::Busy(aside.clone()),
            _ => io(&aside, "cannot write")(source),
        })?;
        let changed = Self::load(&path).map_err(E::from).and_then(change).and_then(|changed| {
            keep_owner(&path, &file)
                .and_then(|()| file.write_all(changed.text().as_bytes()))
                .and_then(|()| file.sync_all())
                .and_then(|()| fs::rename(&aside, &path))
                .and_then(|()| File::open(&folder)?.sync_all())
                .map_err(io(&path, "cannot change the master key file"))?;
            Ok(changed)
        });
        if changed.is_err() {
            // Nothing counts but what has the file's own name.
            let _ = fs::remove_file(&aside);
        }
        changed
    }
}

fn io<'a>(path: &'a Path, what: &'static str) -> impl FnOnce(std::io::Error) -> MasterKeyError + 'a {
    move |source| MasterKeyError::Io { what, path: path.to_owned(), source }
}

fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), MasterKeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(MasterKeyError::Open { path: path.to_owned(), mode }) }
}

/// Whoever runs the command, often root: the server must be able to read what it leaves.
fn keep_owner(path: &Path, file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (old, new) = (path.metadata()?, file.metadata()?);
    if (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}

fn parts(path: &Path) -> (PathBuf, String) {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    (folder.to_owned(), path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

enum Created {
    Here,
    /// Another process was quicker; its key counts.
    Elsewhere,
}

/// Written aside, synced, then linked to its name: a crash leaves a whole file or none, and a link, unlike a rename, never
/// replaces the key that another process has made meanwhile.
fn create(path: &Path, file: &MasterKeyFile, source: &dyn Entropy) -> Result<Created, MasterKeyError> {
    let io = |what| io(path, what);
    let (folder, name) = parts(path);
    fs::create_dir_all(&folder).map_err(io("cannot make the folder of the master key file"))?;
    let aside = folder.join(format!(".{name}.{}.new", base64url(&entropy::bytes::<9>(source)?)));
    let made = new_private(&aside)
        .and_then(|mut new| {
            new.write_all(file.text().as_bytes())?;
            new.sync_all()
        })
        .and_then(|()| publish(&aside, path))
        .map_err(io("cannot write the master key file"));
    // The file aside is only another name of the key by now, or the rest of a failure.
    let _ = fs::remove_file(&aside);
    let made = made?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("cannot sync the folder of"))?;
    Ok(made)
}

fn new_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
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

    fn key(byte: u8) -> MasterKey {
        MasterKey::from_bytes([byte; 32])
    }

    #[test]
    fn the_lines_say_what_each_key_is_for() {
        let all = MasterKeyFile { current: key(1), next: Some(key(2)), previous: vec![key(3), key(4)] };
        let read = MasterKeyFile::parse(&all.text()).unwrap();
        assert_eq!(read.current.id(), key(1).id());
        let opening: Vec<&str> = read.opening().map(MasterKey::id).collect();
        assert_eq!(opening, [key(2), key(3), key(4)].each_ref().map(MasterKey::id));
        let one = base64url(&[1; 32]);
        assert_eq!(MasterKeyFile::parse(&one).unwrap().opening().count(), 0, "as it always was");
        for bad in [
            String::new(),
            format!("{one}\n{one}\n"),
            format!("next {one}\n"),
            format!("{one}\nnext {one}\nnext {one}"),
            format!("{one}\nlast {one}"),
            format!("{one}\nprevious x"),
        ] {
            assert!(MasterKeyFile::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_change_replaces_the_whole_file_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeyFile::load_or_create(&path, true, &OsEntropy).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let added = MasterKeyFile::change(&link, |file| {
            // Meanwhile nobody else changes it.
            let second = MasterKeyFile::change(&path, Ok::<_, MasterKeyError>);
            assert!(matches!(second, Err(MasterKeyError::Busy(_))), "{second:?}");
            Ok::<_, MasterKeyError>(MasterKeyFile { next: Some(key(9)), ..file })
        });
        assert!(added.is_ok() && fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(MasterKeyFile::load(&path).unwrap().next.unwrap().id(), key(9).id());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let before = fs::read(&path).unwrap();
        let refused = MasterKeyFile::change(&path, |_| Err(MasterKeyError::Malformed("no".to_owned())));
        assert!(refused.is_err() && fs::read(&path).unwrap() == before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left aside");
    }

    #[test]
    fn a_missing_file_is_made_only_when_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let refused = MasterKeyFile::load_or_create(&path, false, &OsEntropy).unwrap_err();
        assert!(matches!(refused, MasterKeyError::Missing(_)) && !path.exists());

        let (made, created) = MasterKeyFile::load_or_create(&path, true, &OsEntropy).unwrap();
        assert!(created);
        let (read, created) = MasterKeyFile::load_or_create(&path, true, &OsEntropy).unwrap();
        assert!(!created && read.current.id() == made.current.id());
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
                        MasterKeyFile::load_or_create(&path, true, &OsEntropy)
                            .unwrap()
                            .0
                            .current
                            .id()
                            .to_owned()
                    })
                })
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeyFile::load_or_create(&path, true, &OsEntropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let text = MasterKeyFile::load(&path).unwrap_err().to_string();
            assert!(text.contains(&format!("chmod 600 {}", path.display())), "{text}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(MasterKeyFile::load(&path).is_ok());
    }

    #[test]
    fn a_malformed_file_is_refused_and_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        for content in [&b""[..], b"short", b"\xff\xfe", &[b'A'; 5000]] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = MasterKeyFile::load_or_create(&path, true, &OsEntropy).unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed(_)), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
