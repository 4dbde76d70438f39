//! Whether git writes files otherwise than they are stored: with other line ends, or with `$Id$` filled
//! in. Filters that start a program are none of this: they never run here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{AttrCheckFlags, AttrValue, Repository};

use super::{fill::Wanted, shift::LINK};

/// Says whether git may write one of these files otherwise than it is stored; all files of a tree.
pub(super) fn converts_any(repository: &Repository, files: &[Wanted]) -> bool {
    if converts_all(repository) {
        return true;
    }
    let named = repository.config().and_then(|config| config.get_path("core.attributesFile")).ok();
    let global = named.or_else(|| {
        let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".config")));
        home.map(|home| home.join("git/attributes"))
    });
    let own = [repository.commondir().join("info/attributes"), "/etc/gitattributes".into()];
    let on_disk = global.iter().chain(&own).filter_map(|path| fs::read(path).ok());
    let named = |(path, entry): &&Wanted| path.ends_with(".gitattributes") && entry.mode != LINK;
    let blobs = files.iter().filter(named).map(|(_, entry)| {
        repository.find_blob(entry.id).map(|blob| blob.content().to_vec()).unwrap_or_default()
    });
    on_disk.chain(blobs).any(|text| asks_for_conversion(&text))
}

/// Says whether the settings have git write any file otherwise, or under a name that may be that of
/// another one.
pub(super) fn converts_all(repository: &Repository) -> bool {
    let Ok(config) = repository.config().and_then(|mut config| config.snapshot()) else {
        return true;
    };
    let is = |key: &str, value: bool| config.get_bool(key).is_ok_and(|known| known == value);
    let is_crlf = config.get_str("core.eol").is_ok_and(|eol| eol == "crlf");
    is_crlf
        || is("core.autocrlf", true)
        || is("core.symlinks", false)
        || is("core.ignorecase", true)
}

/// Says whether attributes have git write this file otherwise.
pub(super) fn converts(repository: &Repository, path: &Path) -> bool {
    let value = |name: &str| {
        let value = repository.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX);
        value.map(AttrValue::always_bytes)
    };
    match (value("eol"), value("ident")) {
        (Ok(eol), Ok(ident)) => eol == AttrValue::Bytes(b"crlf") || ident == AttrValue::True,
        _ => true,
    }
}

/// Says whether attributes may ask for files to be written otherwise than they are stored. That a file
/// is `text` alone does not: in objects, line ends are those of Unix already.
fn asks_for_conversion(attributes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(attributes);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(|line| line.split_whitespace().skip(1));
    words.any(|word| word == "ident" || word == "eol=crlf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_change_files_are_known() {
        for text in ["*.txt eol=crlf", "a\n* text ident\n", "[attr]dos text eol=crlf"] {
            assert!(asks_for_conversion(text.as_bytes()), "{text:?}");
        }
        for text in
            ["", "* text=auto eol=lf\n", "# * eol=crlf\n", "*.png binary -text", "*.y filter=lfs"]
        {
            assert!(!asks_for_conversion(text.as_bytes()), "{text:?}");
        }
    }
}
