//! The disk that the repository lies on.

use super::Surroundings;
use crate::{
    app::view::doctor::{Check, Figures},
    domain::format::layout,
    io::system::{self, Room},
};

const ROOM_NAME: &str = "disk";
const LOCAL_NAME: &str = "local";
const FILE_SYSTEM_NAME: &str = "file-system";

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// With less, records may soon not be written.
const FREE_ERROR: u64 = 64 * MIB;

/// With less, a chatty worker may fill the disk.
const FREE_WARNING: u64 = GIB;

/// Percent of the files that the file system has room for; with less, they run out.
const FREE_INODES_PERCENT: u64 = 2;

/// File systems whose locks and notices cannot be relied on, each by how its name begins.
const DISTANT: [&str; 8] = ["nfs", "9p", "fuse", "cifs", "smb", "afs", "ceph", "drvfs"];

/// Measures the room that is left.
pub(super) fn room(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let room = match system::room(surroundings.store.root()) {
        Ok(room) => room,
        Err(error) => {
            return vec![Check::ok(ROOM_NAME, format!("the room left is not known: {error}"))];
        }
    };
    figures.free_bytes = Some(room.free_bytes);
    figures.total_bytes = Some(room.total_bytes);
    if room.total_inodes > 0 {
        figures.free_inodes = Some(room.free_inodes);
        figures.total_inodes = Some(room.total_inodes);
    }
    vec![judge_room(room)]
}

fn judge_room(room: Room) -> Check {
    let Room { free_bytes, total_bytes, free_inodes, total_inodes } = room;
    let bytes = format!("{} of {} are free", size(free_bytes), size(total_bytes));
    // A file system without a table of files counts none.
    let share = free_inodes.saturating_mul(100).checked_div(total_inodes);
    let message = match share {
        Some(share) => format!("{bytes}, {share} % of the inodes"),
        None => bytes,
    };
    let help = "make room: logs of old attempts are below .orch/local/logs";
    if free_bytes < FREE_ERROR {
        Check::error(ROOM_NAME, message, help)
    } else if free_bytes < FREE_WARNING || share.is_some_and(|share| share < FREE_INODES_PERCENT) {
        Check::warning(ROOM_NAME, message, help)
    } else {
        Check::ok(ROOM_NAME, message)
    }
}

/// Measures what is local, and looks whether git is kept out of it.
pub(super) fn local(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let store = surroundings.store;
    let dir = layout::LOCAL_DIR;
    if !store.is_there(dir) {
        return vec![Check::ok(
            LOCAL_NAME,
            format!("{dir} is not there yet: the first run makes it"),
        )];
    }
    let n_bytes = store.size_below(dir);
    figures.local_bytes = n_bytes;
    let holds = format!("{dir} (logs, prompts) holds {}", size(n_bytes));
    let is_ignored = store.is_there(&format!("{dir}/.gitignore"));
    vec![match (is_ignored, &surroundings.checkout) {
        (true, _) => Check::ok(LOCAL_NAME, format!("{holds}, and is kept out of git")),
        (false, None) => Check::ok(LOCAL_NAME, holds),
        (false, Some(_)) => Check::warning(
            LOCAL_NAME,
            format!("{holds}, and has no .gitignore: logs could be committed"),
            format!("write `*` into {dir}/.gitignore, or let the next run do it"),
        ),
    }]
}

/// Names the file system.
pub(super) fn file_system(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    figures.file_system = system::file_system(surroundings.store.root());
    vec![judge_file_system(figures.file_system.as_deref())]
}

fn judge_file_system(kind: Option<&str>) -> Check {
    match kind {
        None => Check::ok(FILE_SYSTEM_NAME, "its type is not known here"),
        Some(kind) if DISTANT.iter().any(|distant| kind.starts_with(distant)) => Check::warning(
            FILE_SYSTEM_NAME,
            format!("{kind}: what others write there may not be told, and locks may not hold"),
            "keep the repository on a local disk (in WSL: below the Linux home folder)",
        ),
        Some(kind) => Check::ok(FILE_SYSTEM_NAME, kind),
    }
}

/// Returns a number of bytes for people.
fn size(n_bytes: u64) -> String {
    let units = [(GIB, "GiB"), (MIB, "MiB"), (1 << 10, "KiB")];
    let fitting = units.iter().find(|(unit, _)| n_bytes >= *unit);
    fitting.map_or_else(
        || format!("{n_bytes} B"),
        |(unit, name)| format!("{}.{} {name}", n_bytes / unit, n_bytes % unit * 10 / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::doctor::Verdict;

    #[test]
    fn room_is_judged_by_bytes_and_files() {
        let table = [
            (
                FREE_ERROR - 1,
                100,
                100,
                Verdict::Error,
                "63.9 MiB of 2.0 GiB are free, 100 % of the inodes",
            ),
            (
                FREE_ERROR,
                100,
                100,
                Verdict::Warning,
                "64.0 MiB of 2.0 GiB are free, 100 % of the inodes",
            ),
            (GIB, 2, 100, Verdict::Ok, "1.0 GiB of 2.0 GiB are free, 2 % of the inodes"),
            (GIB, 1, 100, Verdict::Warning, "1.0 GiB of 2.0 GiB are free, 1 % of the inodes"),
            (GIB, 0, 0, Verdict::Ok, "1.0 GiB of 2.0 GiB are free"),
        ];
        for (free_bytes, free_inodes, total_inodes, verdict, message) in table {
            let room = Room { free_bytes, total_bytes: 2 * GIB, free_inodes, total_inodes };
            let check = judge_room(room);
            assert_eq!((check.verdict, check.message.as_str()), (verdict, message));
        }
    }

    #[test]
    fn distant_file_systems_are_warned_about() {
        let table = [
            (Some("ext4"), Verdict::Ok),
            (Some("nfs4"), Verdict::Warning),
            (Some("9p"), Verdict::Warning),
            (Some("fuse.sshfs"), Verdict::Warning),
            (Some("cifs"), Verdict::Warning),
            (None, Verdict::Ok),
        ];
        for (kind, expected) in table {
            assert_eq!(judge_file_system(kind).verdict, expected, "{kind:?}");
        }
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!([0, 1023, 1536, 10 * MIB].map(size), ["0 B", "1023 B", "1.5 KiB", "10.0 MiB"]);
    }
}
