//! Directories that only this user and root can write to.
//!
//! Like sshd's `StrictModes`, this checks every directory on the path from `/`, because a user who can write to one of
//! them can replace everything below it. Each directory is opened relative to its parent and checked by its descriptor,
//! so the directory that was checked is the one that is used, even if names change in the meantime.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// The maximum number of symbolic links in a path, as on Linux.
const MAX_LINKS: usize = 40;
/// The user shown for unmapped users, unless the kernel names another.
const OVERFLOW_USER: u32 = 65534;
/// The maximum number of missing directories at the end of a path that are created. If more are missing, the user has
/// no home directory, or the path is a mistake.
const MAX_CREATED: usize = 2;
const WRITABLE_BY_OTHERS: Mode = Mode::WGRP.union(Mode::WOTH);

/// Opens a directory that this user may search but not read.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY;

/// An open directory that only this user and root can write to, like every directory on its path.
#[derive(Debug)]
pub(crate) struct TrustedDirectory {
    path: PathBuf,
    descriptor: OwnedFd,
    owner: u32,
}

/// Why a directory cannot be used: the part of its path at fault, the reason, and the remedy.
#[derive(Debug)]
pub(crate) enum Distrust {
    /// The directory cannot be opened.
    Unavailable(PathBuf, io::Error),
    /// The directory belongs to this other user, who is not root.
    Owner(PathBuf, u32),
    /// The group of the directory, or every user, can write to it.
    Writable(PathBuf),
    /// The user of this process cannot be distinguished from unmapped users.
    UnknownUser,
    /// The path has too many links.
    Links(PathBuf),
}

impl TrustedDirectory {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    ///
    /// When a part of the path is missing, or another user could have written there.
    pub(crate) fn open(path: &Path) -> Result<Self, Distrust> {
        Walk { create: false, links: 0 }.run(path)
    }

    /// Opens the directory at `path` for writing, and creates it and its parent if they are missing.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and when it cannot be created or this user cannot write to it.
    pub(crate) fn create(path: &Path) -> Result<Self, Distrust> {
        let directory = Walk { create: true, links: 0 }.run(path)?;
        match rustix::fs::accessat(&directory, ".", Access::WRITE_OK, AtFlags::EACCESS) {
            Ok(()) => Ok(directory),
            Err(Errno::ACCESS) if directory.owner != rustix::process::geteuid().as_raw() => {
                Err(Distrust::Owner(directory.path, directory.owner))
            }
            Err(error) => Err(Distrust::Unavailable(directory.path, error.into())),
        }
    }

    /// Its path, with links resolved.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the regular file `name` for reading, if only this user and root can write to it.
    ///
    /// # Errors
    ///
    /// The system's error, or `PermissionDenied`. A link is not followed, and opening never blocks.
    pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<(File, Metadata)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(self, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        let is_ours = is_trusted(metadata.uid()) && metadata.mode() & 0o022 == 0;
        if is_ours && metadata.is_file() { Ok((file, metadata)) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// The names of its entries, `.` and `..` included.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut names = Vec::new();
        for entry in Dir::new(rustix::fs::openat(self, ".", flags, Mode::empty())?)? {
            names.push(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned());
        }
        Ok(names)
    }

    /// The metadata of `name`, without following a link.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(crate) fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(self, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Removes the file `name`; a missing file is not an error.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(self, name, AtFlags::empty()) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for TrustedDirectory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The walk from `/` to a directory.
struct Walk {
    create: bool,
    links: usize,
}

impl Walk {
    fn run(&mut self, path: &Path) -> Result<TrustedDirectory, Distrust> {
        if trusted_users().is_empty() {
            return Err(Distrust::UnknownUser);
        }
        let absolute = std::path::absolute(path).map_err(|error| Distrust::Unavailable(path.to_owned(), error))?;
        let mut pending = Vec::new();
        push_components(&mut pending, &absolute);
        let mut here = root(pending.is_empty())?;
        while let Some(name) = pending.pop() {
            let next = here.path.join(&name);
            match self.enter(&here, &name, pending.len()) {
                Ok(descriptor) => here = check(next, descriptor, pending.is_empty())?,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    let target = self.follow(&here, &name, &next)?;
                    push_components(&mut pending, &target);
                    if target.is_absolute() {
                        here = root(pending.is_empty())?;
                    }
                }
                Err(error) => return Err(Distrust::Unavailable(next, error.into())),
            }
        }
        // If the path ends with a link to `.`, this directory was checked only as one in the middle of a path.
        check(here.path, here.descriptor, true)
    }

    /// Opens the directory `name`, given how many more follow in the path.
    fn enter(&self, parent: &TrustedDirectory, name: &OsStr, below: usize) -> rustix::io::Result<OwnedFd> {
        let open = || {
            let flags = SEARCH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(parent, name, flags, Mode::empty())
        };
        match open() {
            Err(Errno::NOENT) if self.create && below < MAX_CREATED => {
                // Readable by all, because every user loads what root installs.
                match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => open(),
                    Err(error) => Err(error),
                }
            }
            opened => opened,
        }
    }

    /// The target of the link `name`, if no other user can have created it.
    ///
    /// No other user can replace it between the two calls, because `parent` is trusted or sticky.
    fn follow(&mut self, parent: &TrustedDirectory, name: &OsStr, path: &Path) -> Result<PathBuf, Distrust> {
        let unavailable = |error: Errno| Distrust::Unavailable(path.to_owned(), error.into());
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Distrust::Links(path.to_owned()));
        }
        let link = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(unavailable)?;
        if FileType::from_raw_mode(link.st_mode) != FileType::Symlink {
            return Err(unavailable(Errno::NOTDIR));
        } else if !is_trusted(link.st_uid) {
            return Err(Distrust::Owner(path.to_owned(), link.st_uid));
        }
        let target = rustix::fs::readlinkat(parent, name, Vec::new()).map_err(unavailable)?;
        Ok(PathBuf::from(OsStr::from_bytes(target.to_bytes())))
    }
}

/// Pushes the parts of `path` below `/` onto the stack `pending`, the first on top.
fn push_components(pending: &mut Vec<OsString>, path: &Path) {
    let is_name = |component: &Component<'_>| matches!(component, Component::Normal(_) | Component::ParentDir);
    pending.extend(path.components().rev().filter(is_name).map(|component| component.as_os_str().to_owned()));
}

fn root(is_last: bool) -> Result<TrustedDirectory, Distrust> {
    let path = PathBuf::from("/");
    let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, &path, flags, Mode::empty()) {
        Ok(descriptor) => check(path, descriptor, is_last),
        Err(error) => Err(Distrust::Unavailable(path, error.into())),
    }
}

/// Checks one directory. In a sticky directory, other users can add files but not replace those of this user. That is
/// harmless in the middle of a path but not at its end.
fn check(path: PathBuf, descriptor: OwnedFd, is_last: bool) -> Result<TrustedDirectory, Distrust> {
    let stat = match rustix::fs::fstat(&descriptor) {
        Ok(stat) => stat,
        Err(error) => return Err(Distrust::Unavailable(path, error.into())),
    };
    if !is_trusted(stat.st_uid) {
        Err(Distrust::Owner(path, stat.st_uid))
    } else if mode(&stat).intersects(WRITABLE_BY_OTHERS) && (is_last || !mode(&stat).contains(Mode::SVTX)) {
        Err(Distrust::Writable(path))
    } else {
        Ok(TrustedDirectory { path, descriptor, owner: stat.st_uid })
    }
}

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

/// Whether `user` is this user or root.
fn is_trusted(user: u32) -> bool {
    trusted_users().contains(&user)
}

fn trusted_users() -> &'static [u32] {
    static USERS: OnceLock<Vec<u32>> = OnceLock::new();
    USERS.get_or_init(|| {
        let read = |path| fs::read_to_string(path).ok();
        let overflow = read("/proc/sys/kernel/overflowuid").and_then(|text| text.trim().parse().ok());
        let map = || read("/proc/self/uid_map").unwrap_or_default();
        trusted_of(rustix::process::geteuid().as_raw(), overflow.unwrap_or(OVERFLOW_USER), map)
    })
}

/// The users whose files a process of `user` trusts. In a user namespace, files of users without a number there seem to
/// belong to `overflow`.
///
/// A process that seems to run as `overflow` may run as any unmapped user, in a namespace whose root is some other
/// user. It runs as the user of that number (`nobody`) only if the `uid_map` maps every user.
fn trusted_of(user: u32, overflow: u32, uid_map: impl Fn() -> String) -> Vec<u32> {
    let maps_all = || uid_map().split_whitespace().eq(["0", "0", "4294967295"]);
    if user == overflow && !maps_all() {
        return Vec::new();
    }
    [0, user].into_iter().filter(|&trusted| trusted != overflow).collect()
}

impl Distrust {
    /// Whether the path does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Unavailable(_, error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(path, error) => write!(f, "'{}' cannot be used: {error}", path.display()),
            Self::Owner(path, 0) => {
                write!(f, "'{0}' belongs to root (fix with 'sudo chown -R $USER {0}')", path.display())
            }
            Self::Owner(path, user) => write!(f, "'{}' belongs to another user ({user})", path.display()),
            Self::Writable(path) => {
                write!(f, "other users can write to '{0}' (fix with 'chmod go-w {0}')", path.display())
            }
            Self::UnknownUser => f.write_str("this process runs as a user that its user namespace does not map"),
            Self::Links(path) => write!(f, "more than {MAX_LINKS} links lead to '{}'", path.display()),
        }
    }
}

impl std::error::Error for Distrust {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusts_root_and_own_user() {
        let mapped = || "         0          0 4294967295\n".to_owned();
        let partial = || "0 1000 1\n".to_owned();
        assert_eq!(trusted_of(1000, 65534, partial), [0, 1000]);
        assert!(trusted_of(65534, 65534, partial).is_empty());
        assert!(trusted_of(65534, 65534, String::new).is_empty());
        // The files of `nobody` cannot be distinguished from those of unmapped users (idmapped mounts).
        assert_eq!(trusted_of(65534, 65534, mapped), [0]);
        assert_eq!(trusted_of(1000, 0, mapped), [1000]);
    }

    #[test]
    fn resolves_links_within_bound() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        std::os::unix::fs::symlink("../a/./b", at("a/relative")).unwrap();
        std::os::unix::fs::symlink(at("a/relative"), at("absolute")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        let real = fs::canonicalize(at("a/b")).unwrap();
        let found = TrustedDirectory::open(&at("absolute")).unwrap();
        assert_eq!(fs::canonicalize(found.path()).unwrap(), real);
        assert!(matches!(TrustedDirectory::open(&at("loop")), Err(Distrust::Links(_))));
        assert!(matches!(TrustedDirectory::open(&at("loop/below")), Err(Distrust::Links(_))));
        assert!(matches!(TrustedDirectory::open(&at("missing")), Err(Distrust::Unavailable(..))));
    }

    #[test]
    fn rejects_sticky_final_directory() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(matches!(TrustedDirectory::open(directory.path()), Err(Distrust::Writable(_))));
        assert!(TrustedDirectory::open(&inner).is_ok());
        // Found by a link to the place itself as well.
        std::os::unix::fs::symlink(".", directory.path().join("self")).unwrap();
        assert!(matches!(TrustedDirectory::open(&directory.path().join("self")), Err(Distrust::Writable(_))));
    }
}
