//! The user's own settings under which most tests run: they approve every folder, so that a test
//! need not approve its plan first. What approval means is tested in `cli/trust`.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The variable that names the folder of the user's own settings.
const VARIABLE: &str = "XDG_CONFIG_HOME";

/// Has a command run under settings that approve everything.
pub(crate) trait AtEase {
    fn at_ease(&mut self) -> &mut Self;
}

impl AtEase for Command {
    fn at_ease(&mut self) -> &mut Self {
        self.env(VARIABLE, settings())
    }
}

/// Returns the folder of the settings.
pub(crate) fn settings() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("at-ease");
        let file = folder.join("orch/config.yaml");
        fs::create_dir_all(folder.join("orch")).unwrap();
        let new = file.with_extension(std::process::id().to_string());
        let mut options = fs::OpenOptions::new();
        let mut text =
            options.write(true).create(true).truncate(true).mode(0o600).open(&new).unwrap();
        std::io::Write::write_all(&mut text, b"trust: {folders: [/], edits: always}\n").unwrap();
        fs::rename(new, file).unwrap();
        folder
    })
}
