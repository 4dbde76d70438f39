//! Coding agents: recorded outputs, and whole runs with stand-ins for the programs.

mod recorded;
mod runs;
