//! What the machine may be short of for a while.

use std::io;

use rustix::io::Errno;

/// Says whether the same may work later by itself: the machine is short of room, descriptors,
/// processes or memory, or does not let anyone write for now.
pub fn is_passing(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::NOSPC
                | Errno::DQUOT
                | Errno::ROFS
                | Errno::IO
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOMEM
                | Errno::AGAIN
        )
    )
}

/// Says whether it is this process that is short of something: what it was about is not at fault,
/// and anything else would fail, too.
pub fn is_own(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}
