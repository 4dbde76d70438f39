//! Everything that is tested from outside of the library, in one binary.

mod simulation;
