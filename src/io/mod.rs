//! Floor 2: touches the world. Thin: it carries out what it is told and decides nothing.
//!
//! Its rooms do not use each other, print nothing, and name the path or command and the verb in
//! every error.

pub mod beneath;
pub mod clock;
pub mod entropy;
pub mod environment;
pub mod event_loop;
pub mod git;
pub mod process;
pub mod shortage;
pub mod store;
pub mod supervisor;
pub mod system;
pub mod trust;
pub mod watch;
