//! Randomness of the operating system.

use std::{
    fs::File,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Read as _,
};

/// Words that nobody can guess from outside, each once.
#[derive(Debug)]
pub struct Nonces {
    key: u64,
    n_given: u64,
}

impl Nonces {
    /// Asks the system for randomness, once.
    pub fn new() -> Self {
        Self { key: random(), n_given: 0 }
    }

    /// Returns 16 hexadecimal digits that were not given before.
    pub fn give(&mut self) -> String {
        self.n_given += 1;
        format!("{:016x}", mix(self.key.wrapping_add(self.n_given.wrapping_mul(STEP))))
    }
}

impl Default for Nonces {
    fn default() -> Self {
        Self::new()
    }
}

/// An odd number, so that no two steps from the same key meet (Weyl sequence, as in `SplitMix64`).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads neighbors over all 64 bits; each output comes from one input (finalizer of `SplitMix64`).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Returns 64 random bits: from `/dev/urandom`, or from the keys that the standard library gets
/// from the system where that file does not exist.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u32(std::process::id());
            hasher.finish()
        }
    }
}
