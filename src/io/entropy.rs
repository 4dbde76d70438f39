//! Randomness of the operating system.

use std::{
    fs::File,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Read as _,
};

/// Returns 16 random hexadecimal digits.
pub fn nonce() -> String {
    format!("{:016x}", random())
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
