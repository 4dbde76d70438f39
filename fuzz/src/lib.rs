//! What all fuzz targets share: the properties of the test suite, within limits of time and memory.

#[path = "../../tests/it/properties/mod.rs"]
mod properties;

mod limits;

/// Tries a property on `bytes`; panics where it does not hold, or takes more than a file may.
///
/// # Panics
/// Where there is no property of this name, too.
pub fn check(name: &str, bytes: &[u8]) {
    let found = properties::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, property)) = found else { panic!("there is no property `{name}`") };
    limits::within(|| property(bytes));
}
