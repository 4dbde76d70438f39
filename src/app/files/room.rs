//! The files of one folder as they were last read, and what has changed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    thread,
};

use crate::{
    domain::{
        format::task_file::Reading,
        settle::{Sign, Trust},
    },
    io::{
        clock, shortage,
        store::{ReadFault, Stamp, Store, StoreError},
    },
};

/// Fewer files are read by one thread: a second one costs more than it saves.
const PATHS_FOR_TWO_THREADS: usize = 256;

/// What is made of a file.
pub(super) trait Content: Sized + Send + Sync {
    /// Makes it of the bytes of the file `path`, or of why they could not be read.
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, reading: Reading) -> Self;

    /// Says whether something is wrong with it, so that it may still be being written.
    fn is_doubtful(&self) -> bool;

    /// Takes over what is needed of what the file was before.
    fn succeed(&mut self, _before: Self) {}
}

/// The files of one folder.
#[derive(Debug, Clone)]
pub(super) struct Room<T> {
    dir: &'static str,
    ending: &'static str,
    reading: Reading,
    kept: BTreeMap<String, Kept<T>>,
}

#[derive(Debug, Clone)]
struct Kept<T> {
    content: T,
    version: Version,
}

/// Tells one version of a file from another.
#[derive(Debug, Clone, Copy, Default)]
struct Version {
    stamp: Option<Stamp>,
    /// Whether a change would show in the stamp.
    is_settled: bool,
    /// Hash of its bytes; `None` where they could not be read.
    hash: Option<u64>,
}

impl Version {
    /// `now` is a time before the file was read.
    fn new(stamp: Option<Stamp>, bytes: Option<&[u8]>, now: std::time::Duration) -> Self {
        let hash = bytes.map(|bytes| {
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            hasher.finish()
        });
        Self { stamp, is_settled: stamp.is_some_and(|stamp| stamp.is_settled(now)), hash }
    }
}

/// What became of one file.
enum Found<T> {
    Missing,
    /// This process is short of something, so nothing is known of it now.
    Unknown,
    /// Its content is the one that was read before.
    Same(Version),
    Other(T, Version),
}

/// What a look at files brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Files whose content is another one now, or that came or went.
    pub changed: BTreeSet<String>,
    /// Files that seem gone or broken, which is not believed yet, and how they look.
    pub doubtful: BTreeMap<String, Sign>,
}

impl<T: Content> Room<T> {
    /// Reads all files below `dir` whose names end with `ending`.
    pub(super) fn read(
        store: &Store,
        dir: &'static str,
        ending: &'static str,
        reading: Reading,
    ) -> Result<Self, StoreError> {
        let now = clock::since_1970();
        let kept = store.visit(dir, &[ending], |path, bytes, stamp| {
            let bytes = bytes.as_ref().map(|bytes| *bytes);
            let content = T::parse(path, bytes, reading);
            // Who reads only heads does not read again.
            let hashed = bytes.ok().filter(|_| reading == Reading::Whole);
            (path.to_owned(), Kept { content, version: Version::new(stamp, hashed, now) })
        })?;
        Ok(Self { dir, ending, reading, kept: kept.into_iter().collect() })
    }

    /// Reads the one file `path`, which may be missing.
    pub(super) fn of_one(
        store: &Store,
        path: &'static str,
        reading: Reading,
    ) -> Result<Self, StoreError> {
        let mut room = Self { dir: path, ending: "", reading, kept: BTreeMap::new() };
        while !room.look_at(store, [path.to_owned()], Trust::All).doubtful.is_empty() {
            // As if it were missing would be wrong.
            if let Err(ReadFault::Unreadable(source)) = store.read_stamped(path) {
                return Err(StoreError::Read { path: path.to_owned(), source });
            }
        }
        Ok(room)
    }

    /// Takes in what files came to that were read elsewhere, by path.
    pub(super) fn of(
        dir: &'static str,
        ending: &'static str,
        contents: impl IntoIterator<Item = (String, T)>,
    ) -> Self {
        let kept = contents
            .into_iter()
            .map(|(path, content)| (path, Kept { content, version: Version::default() }));
        Self { dir, ending, reading: Reading::Head, kept: kept.collect() }
    }

    /// Returns what the files came to, by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.kept.iter().map(|(path, kept)| (path.as_str(), &kept.content))
    }

    /// Returns what the file `path` came to.
    pub(super) fn get(&self, path: &str) -> Option<&T> {
        self.kept.get(path).map(|kept| &kept.content)
    }

    /// Returns what the files came to, in the order of their paths, and gives them away.
    pub(super) fn into_contents(self) -> impl Iterator<Item = T> {
        self.kept.into_values().map(|kept| kept.content)
    }

    /// Looks at all files, and reads those that may have changed.
    pub(super) fn look_at_all(&mut self, store: &Store, trust: Trust) -> Result<Seen, StoreError> {
        let stamps: BTreeMap<String, Option<Stamp>> =
            store.stamps(self.dir, &[self.ending])?.into_iter().collect();
        let gone = self.kept.keys().filter(|path| !stamps.contains_key(*path)).cloned();
        let mut suspects: Vec<String> = gone.collect();
        suspects.extend(
            stamps
                .into_iter()
                .filter(|(path, stamp)| self.may_differ(path, *stamp))
                .map(|(path, _)| path),
        );
        Ok(self.look_at(store, suspects, trust))
    }

    fn may_differ(&self, path: &str, stamp: Option<Stamp>) -> bool {
        self.kept.get(path).is_none_or(|kept| {
            stamp.is_none() || !kept.version.is_settled || kept.version.stamp != stamp
        })
    }

    /// Says whether a file is still what was read of it, or still not there.
    pub(super) fn is_current(&self, store: &Store, path: &str) -> bool {
        match self.examine(store, path) {
            Found::Same(_) => true,
            Found::Missing => !self.kept.contains_key(path),
            Found::Unknown | Found::Other(..) => false,
        }
    }

    /// Reads these files again.
    pub(super) fn look_at(
        &mut self,
        store: &Store,
        paths: impl IntoIterator<Item = String>,
        trust: Trust,
    ) -> Seen {
        let mut seen = Seen::default();
        for (path, found) in self.examine_all(store, paths.into_iter().collect()) {
            match found {
                Found::Missing => self.find_missing(path, trust, &mut seen),
                Found::Unknown => drop(seen.doubtful.insert(path, Sign::Begun)),
                Found::Same(version) => {
                    if let Some(kept) = self.kept.get_mut(&path) {
                        kept.version = version;
                    }
                }
                Found::Other(content, _) if trust == Trust::Presence && content.is_doubtful() => {
                    // Perhaps its writing goes on.
                    seen.doubtful.insert(path, Sign::Begun);
                }
                Found::Other(mut content, version) => {
                    if let Some(before) = self.kept.remove(&path) {
                        content.succeed(before.content);
                    }
                    self.kept.insert(path.clone(), Kept { content, version });
                    seen.changed.insert(path);
                }
            }
        }
        seen
    }

    /// Reads files; many of them with a second thread.
    fn examine_all(&self, store: &Store, mut paths: Vec<String>) -> Vec<(String, Found<T>)> {
        let examine = |paths: Vec<String>| -> Vec<(String, Found<T>)> {
            let found = paths.into_iter().map(|path| {
                let found = self.examine(store, &path);
                (path, found)
            });
            found.collect()
        };
        if paths.len() < PATHS_FOR_TWO_THREADS {
            return examine(paths);
        }
        let second = paths.split_off(paths.len() / 2);
        thread::scope(|scope| {
            let helper = scope.spawn(|| examine(second));
            let mut all = examine(paths);
            match helper.join() {
                Ok(more) => all.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
            all
        })
    }

    fn examine(&self, store: &Store, path: &str) -> Found<T> {
        let now = clock::since_1970();
        let (bytes, stamp) = match store.read_stamped(path) {
            Ok((bytes, stamp)) => (Ok(bytes), Some(stamp)),
            Err(ReadFault::Missing) => return Found::Missing,
            Err(ReadFault::Unreadable(source)) if shortage::is_own(&source) => {
                return Found::Unknown;
            }
            Err(fault) => (Err(fault), None),
        };
        let version = Version::new(stamp, bytes.as_deref().ok(), now);
        let kept = self.kept.get(path);
        if version.hash.is_some() && kept.is_some_and(|kept| kept.version.hash == version.hash) {
            return Found::Same(version);
        }
        Found::Other(T::parse(path, bytes.as_deref(), self.reading), version)
    }

    fn find_missing(&mut self, path: String, trust: Trust, seen: &mut Seen) {
        if !self.kept.contains_key(&path) {
            return;
        }
        match trust {
            Trust::Presence => drop(seen.doubtful.insert(path, Sign::Gone)),
            Trust::All => {
                self.kept.remove(&path);
                seen.changed.insert(path);
            }
        }
    }
}
