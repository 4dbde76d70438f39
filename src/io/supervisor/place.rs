//! Files that lost their names while they are written: everything was moved away, or removed, and
//! perhaps put back from elsewhere.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use crate::io::process::start::open_output;

/// Says whether `path` stands for `file`.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let about = |about: fs::Metadata| (about.dev(), about.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(theirs)) => about(ours) == about(theirs),
        _ => false,
    }
}

/// Puts what stands in `file` to `path` again, unless it is there: behind what is there, which may
/// be the beginning of it.
///
/// # Errors
/// Why it cannot be done, now at least.
pub(super) fn put_back(file: &mut File, path: &Path) -> io::Result<()> {
    if is_at(file, path) {
        return Ok(());
    }
    let mut anew = open_output(path)?;
    let mut present = Vec::new();
    anew.read_to_end(&mut present)?;
    let mut ours = vec![0; present.len()];
    file.rewind()?;
    let is_beginning = file.read_exact(&mut ours).is_ok() && ours == present;
    file.seek(SeekFrom::Start(if is_beginning { present.len() as u64 } else { 0 }))?;
    io::copy(file, &mut anew)?;
    *file = anew;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_written_is_put_back_whole() {
        // What becomes of the file before it is put back, and whether it can be.
        type Change = fn(&Path);
        let whole = Some("one\ntwo\n");
        let table: [(&str, Change, Option<&str>); 6] = [
            ("nothing", |_| (), whole),
            ("removed", |path| fs::remove_file(path).unwrap(), whole),
            ("moved", |path| fs::rename(path, path.with_extension("moved")).unwrap(), whole),
            (
                "replaced by something else",
                |path| {
                    fs::remove_file(path).unwrap();
                    fs::write(path, "zero\n").unwrap();
                },
                Some("zero\none\ntwo\n"),
            ),
            (
                "replaced by a copy of its beginning",
                |path| {
                    fs::remove_file(path).unwrap();
                    fs::write(path, "on").unwrap();
                },
                whole,
            ),
            (
                "removed with three folders",
                |path| {
                    fs::remove_dir_all(path.ancestors().nth(3).unwrap()).unwrap();
                },
                None,
            ),
        ];
        for (name, change, expected) in table {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("local/logs/a/1.log");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = open_output(&path).unwrap();
            file.write_all(b"one\n").unwrap();
            change(&path);
            assert_eq!(put_back(&mut file, &path).is_ok(), expected.is_some(), "{name}");
            // It is written on in either case.
            file.write_all(b"two\n").unwrap();
            let text = fs::read_to_string(&path).ok();
            assert_eq!(text.as_deref(), expected, "{name}");
        }
    }
}
