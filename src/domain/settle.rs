//! When changed files are read: at once where one file was saved whole, after a quiet time where
//! many change or where the change is not finished.
//!
//! A switch of branches, a storm of saves and an editor that deletes before it writes all look
//! like loss in between. So nothing is believed to be gone before it was quiet for a while, and
//! nothing is read while git holds its lock.

use std::{collections::BTreeMap, time::Duration};

use super::model::time::Tick;

/// What was heard of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Its writing has begun, and has not ended.
    Begun,
    /// It was written and closed.
    Saved,
    /// It was moved here, whole.
    MovedIn,
    /// Its attributes changed, or nobody says what.
    Touched,
    /// It was removed.
    Gone,
    /// It was moved elsewhere.
    MovedAway,
    /// It is or was a folder: what lies in it may not be told.
    Folder,
}

impl Sign {
    /// Returns what two signs of one file mean together.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // Whoever replaces a file may set its attributes afterwards.
        if next == Self::Touched { self } else { next }
    }

    /// Returns how long it must be quiet before a file with this sign is read.
    fn quiet(self) -> Duration {
        Duration::from_millis(match self {
            Self::Saved | Self::MovedIn | Self::Touched | Self::Folder => 40,
            Self::Gone | Self::MovedAway => 100,
            // Its end will be told; this is for where it is not.
            Self::Begun => 500,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Saved | Self::MovedIn)
    }
}

/// A storm that does not end is looked into after this time: what is not there is not believed to
/// be gone then.
const STORM_MAX: Duration = Duration::from_secs(2);

/// Quiet time before everything is looked at, and after git gave its lock back.
const STORM_QUIET: Duration = Duration::from_millis(100);

/// The first of several saves is read at once only after this much quiet.
const LONE_AFTER: Duration = Duration::from_millis(20);

/// What is to be read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Which files.
    pub extent: Extent,
    /// What may be believed of them.
    pub trust: Trust,
}

/// Which files are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// These, below the repository root.
    Paths(Vec<String>),
    /// All.
    Everything,
}

/// What may be believed of what is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// What is there, but not that something is gone or broken: it may still change.
    Presence,
    /// All.
    All,
}

/// What changed and was not read yet.
#[derive(Debug, Clone, Default)]
pub struct Settling {
    paths: BTreeMap<String, (Sign, Tick)>,
    everything: Option<Tick>,
    /// When the first of all this was heard.
    first: Option<Tick>,
    /// When something was heard last, also what was read since.
    last: Tick,
    /// When the last read was.
    looked: Option<Tick>,
    /// Since when git has its lock.
    locked: Option<Tick>,
    unlocked: Option<Tick>,
}

impl Settling {
    /// Notes what was heard of the file `path`.
    pub fn note(&mut self, path: String, sign: Sign, at: Tick) {
        let mark = self.paths.entry(path).or_insert((sign, at));
        *mark = (mark.0.then(sign), at.max(mark.1));
        self.heard(at);
    }

    /// Notes that anything may have changed.
    pub fn note_everything(&mut self, at: Tick) {
        self.everything = Some(at);
        self.heard(at);
    }

    fn heard(&mut self, at: Tick) {
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
    }

    /// Notes whether git holds its lock; while it does, nothing is read.
    pub fn set_locked(&mut self, is_locked: bool, at: Tick) {
        match (self.locked, is_locked) {
            (None, true) => self.locked = Some(at),
            (Some(_), false) => {
                self.locked = None;
                self.unlocked = Some(at);
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// Says whether something changed and was not read yet.
    pub fn is_dirty(&self) -> bool {
        self.first.is_some()
    }

    /// Returns when to look; `None` where nothing changed, or git has its lock.
    pub fn due(&self) -> Option<Tick> {
        let first = self.first.filter(|_| self.locked.is_none())?;
        let after_git = self.unlocked.map(|at| at.plus(STORM_QUIET)).unwrap_or_default();
        if let Some(at) = self.lone_save() {
            return Some(at.max(after_git));
        }
        let of_all = self.everything.map(|at| at.plus(STORM_QUIET));
        let of_each = self.paths.values().map(|(sign, _)| self.last.plus(sign.quiet())).max();
        let quiet = of_all.max(of_each).unwrap_or(self.last);
        Some(quiet.min(first.plus(STORM_MAX)).max(after_git))
    }

    /// Returns when the one file was saved that changed after a while without changes.
    fn lone_save(&self) -> Option<Tick> {
        let (sign, at) = self.paths.values().next().copied()?;
        let is_lone = self.paths.len() == 1 && self.everything.is_none() && sign.is_whole();
        let is_fresh = self.looked.is_none_or(|looked| at >= looked.plus(LONE_AFTER));
        (is_lone && is_fresh).then_some(at)
    }

    /// Returns what to look at, as it is time.
    pub fn take(&mut self, now: Tick) -> Look {
        let is_quiet = self.paths.values().all(|(sign, at)| at.plus(sign.quiet()) <= now)
            && self.everything.is_none_or(|at| at.plus(STORM_QUIET) <= now);
        let paths = std::mem::take(&mut self.paths);
        let extent = match self.everything.take() {
            Some(_) => Extent::Everything,
            None => Extent::Paths(paths.into_keys().collect()),
        };
        self.first = None;
        self.looked = Some(now);
        Look { extent, trust: if is_quiet { Trust::All } else { Trust::Presence } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Tick {
        Tick(Duration::from_millis(n))
    }

    /// Plays lines `time what`, looking whenever it is due, and returns what was looked at.
    fn play(script: &str) -> String {
        let mut settling = Settling::default();
        let mut told = Vec::new();
        let mut look_until = |settling: &mut Settling, until: Tick| {
            while let Some(due) = settling.due().filter(|due| *due < until) {
                let look = settling.take(due);
                let what = match look.extent {
                    Extent::Paths(paths) => paths.join("+"),
                    Extent::Everything => "everything".to_owned(),
                };
                told.push(format!("{} {what} {:?}", due.0.as_millis(), look.trust));
            }
        };
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let at = ms(words[0].parse().unwrap());
            look_until(&mut settling, at);
            match words[1..] {
                ["everything"] => settling.note_everything(at),
                ["lock"] => settling.set_locked(true, at),
                ["unlock"] => settling.set_locked(false, at),
                [sign, path] => {
                    let sign = match sign {
                        "begun" => Sign::Begun,
                        "saved" => Sign::Saved,
                        "moved" => Sign::MovedIn,
                        "touched" => Sign::Touched,
                        "gone" => Sign::Gone,
                        _ => Sign::Folder,
                    };
                    settling.note(path.to_owned(), sign, at);
                }
                _ => panic!("{line}"),
            }
        }
        look_until(&mut settling, ms(1_000_000));
        told.join("\n")
    }

    #[test]
    fn files_are_read_when_they_are_whole() {
        let table = [
            ("one save is read at once", "5 moved a", "5 a Presence"),
            ("in place: when it is closed", "5 begun a\n9 begun a\n30 saved a", "30 a Presence"),
            ("attributes set afterwards", "5 moved a\n5 touched a", "5 a Presence"),
            ("never closed", "5 begun a", "505 a All"),
            ("delete and create", "5 gone a\n60 begun a\n61 saved a", "61 a Presence"),
            ("gone for good", "5 gone a", "105 a All"),
            ("a touch", "5 touched a", "45 a All"),
            ("two together", "5 saved a\n5 saved b", "5 a Presence\n45 b All"),
            ("a second save soon after", "5 saved a\n9 saved a", "5 a Presence\n49 a All"),
            ("a second save later", "5 saved a\n25 saved a", "5 a Presence\n25 a Presence"),
            ("a new folder", "5 folder d\n9 saved d/a", "49 d+d/a All"),
            ("lost signs", "5 everything\n50 gone a", "150 everything All"),
        ];
        for (name, script, expected) in table {
            // What comes in one batch is noted before anything is due.
            let script = script.replace("5 saved a\n5 saved b", "5 saved a\n6 saved b");
            let expected = expected.replace("45 b", "46 b");
            assert_eq!(play(&script), expected, "{name}");
        }
    }

    #[test]
    fn git_is_waited_for() {
        let table = [
            ("a switch", "1 lock\n5 gone a\n900 begun a\n901 saved a\n950 unlock", "1050 a All"),
            ("a commit", "1 lock\n3 unlock", ""),
            ("an edit right after it", "1 lock\n3 unlock\n5 saved a", "103 a All"),
            ("a lock that stays", "1 lock\n5 saved a", ""),
        ];
        for (name, script, expected) in table {
            assert_eq!(play(script), expected, "{name}");
        }
    }

    #[test]
    fn a_storm_without_end_is_looked_into_but_not_believed() {
        let storm: String = (0..300).map(|i| format!("{} gone {i}\n", 10 + i * 10)).collect();
        let told = play(&storm);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2, "{told}");
        assert!(lines[0].starts_with("2010 ") && lines[0].ends_with(" Presence"), "{told}");
        assert!(lines[1].starts_with("3100 ") && lines[1].ends_with(" All"), "{told}");
    }
}
