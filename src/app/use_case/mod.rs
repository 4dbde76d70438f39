//! One file per thing that a user can ask for; each returns a view and prints nothing.

pub mod approve;
pub mod cancel;
pub mod change;
pub mod check;
pub mod explain;
pub mod init;
pub mod new;
pub mod retry;
pub mod stop;
