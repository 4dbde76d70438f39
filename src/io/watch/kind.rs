//! What a notice of the system says about a file.

use std::path::PathBuf;

use notify::{
    Event,
    event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode},
};

use crate::domain::settle::Sign;

/// Returns what `event` says of each path. Opening and reading say nothing: our own reads would
/// wake us.
pub(super) fn signs_of(event: Event) -> Vec<(PathBuf, Sign)> {
    let Event { kind, paths, .. } = event;
    let sign = match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Sign::Saved,
        EventKind::Access(_) => return Vec::new(),
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => {
            Sign::Folder
        }
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Sign::Begun,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Sign::MovedIn,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Sign::MovedAway,
        // Both ends in one notice; each was told on its own before.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return Vec::new(),
        EventKind::Remove(_) => Sign::Gone,
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => Sign::Touched,
    };
    paths.into_iter().map(|path| (path, sign)).collect()
}
