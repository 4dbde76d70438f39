//! The store against real files.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use orch::{
    domain::model::limits::{FILE_BYTES_MAX, FOLDER_DEPTH_MAX},
    io::store::{ReadFault, Store, StoreError},
};

use super::{new_store, put};

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Returns one line per file: its path and its content or fault.
fn visit(store: &Store, dir: &str) -> Vec<String> {
    let show = |path: &str, content: Result<&[u8], ReadFault>| match content {
        Ok(bytes) => format!("{path} = {}", String::from_utf8_lossy(bytes)),
        Err(fault) => format!("{path} {fault}"),
    };
    store.visit(dir, &[".md"], |path, bytes, _| show(path, bytes)).unwrap()
}

#[test]
fn only_regular_files_are_read_and_the_others_are_named() {
    let (_folder, store) = new_store();
    let tasks = store.path(".orch/tasks");
    put(&store, ".orch/tasks/a.md", b"one");
    put(&store, ".orch/tasks/sub/deep/b.md", b"two");
    put(&store, ".orch/tasks/empty.md", b"");
    put(&store, ".orch/tasks/notes.txt", b"not asked for");
    put(&store, ".orch/tasks/.a.md.tmp-1-1", b"unfinished");
    put(&store, ".orch/tasks/.hidden/c.md", b"hidden");
    put(&store, ".orch/tasks/folder.md/inside.md", b"three");
    put(&store, "outside/secret.md", b"secret");
    std::os::unix::fs::symlink(store.path("outside/secret.md"), tasks.join("link.md")).unwrap();
    std::os::unix::fs::symlink(store.path("outside"), tasks.join("linked")).unwrap();
    std::os::unix::fs::symlink("nowhere", tasks.join(".#a.md")).unwrap();
    std::os::unix::fs::symlink("nowhere", tasks.join("dangling.txt")).unwrap();
    mkfifo(&tasks.join("pipe.md"));
    let _socket = UnixListener::bind(tasks.join("socket.md")).unwrap();
    fs::File::create(tasks.join("large.md")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9.md");
    fs::write(tasks.join(name), "x").unwrap();

    assert_eq!(
        visit(&store, ".orch/tasks"),
        [
            ".orch/tasks/a.md = one",
            ".orch/tasks/caf\u{fffd}.md has a name that is not UTF-8",
            ".orch/tasks/empty.md = ",
            ".orch/tasks/folder.md is a folder",
            ".orch/tasks/folder.md/inside.md = three",
            ".orch/tasks/large.md is larger than 4 MiB",
            ".orch/tasks/link.md is a symbolic link",
            ".orch/tasks/linked is a symbolic link",
            ".orch/tasks/pipe.md is a named pipe",
            ".orch/tasks/socket.md is a socket",
            ".orch/tasks/sub/deep/b.md = two",
        ]
    );
}

#[test]
fn a_missing_folder_is_empty_and_a_linked_one_is_refused() {
    let (_folder, store) = new_store();
    assert_eq!(visit(&store, ".orch/tasks"), [""; 0]);
    put(&store, "elsewhere/a.md", b"x");
    std::os::unix::fs::symlink("../elsewhere", store.path(".orch/tasks")).unwrap();
    let error = store.visit(".orch/tasks", &[".md"], |_, _, _| ()).unwrap_err();
    assert!(matches!(&error, StoreError::Read { path, .. } if path == ".orch/tasks"), "{error}");
    assert!(store.read_file(".orch/tasks/a.md").is_err());
    assert!(store.create(".orch/tasks/b.md", b"x").is_err());
    assert!(!store.path("elsewhere/b.md").exists());
}

#[test]
fn a_folder_too_deep_is_reported_not_followed() {
    let (_folder, store) = new_store();
    let deep = ["d"; FOLDER_DEPTH_MAX + 2].join("/");
    put(&store, &format!(".orch/tasks/{deep}/x.md"), b"x");
    let last = ["d"; FOLDER_DEPTH_MAX].join("/");
    assert_eq!(
        visit(&store, ".orch/tasks"),
        [format!(".orch/tasks/{last} lies more than 64 folders deep")]
    );
}

#[test]
fn many_files_come_whole_and_in_order() {
    let (_folder, store) = new_store();
    let size = |i: usize| if i.is_multiple_of(100) { 200_000 } else { i };
    for i in 0..600 {
        put(&store, &format!(".orch/tasks/{}/{i:04}.md", i % 3), "x".repeat(size(i)).as_bytes());
    }
    let got = store.visit(".orch/tasks", &[".md"], |path, bytes, _| {
        (path.to_owned(), bytes.map(<[u8]>::len).unwrap())
    });
    let mut wanted: Vec<_> =
        (0..600).map(|i| (format!(".orch/tasks/{}/{i:04}.md", i % 3), size(i))).collect();
    wanted.sort();
    assert_eq!(got.unwrap(), wanted);
}

#[test]
fn one_file_is_read_with_the_same_care() {
    let (_folder, store) = new_store();
    put(&store, ".orch/config.yaml", b"a: 1\n");
    put(&store, ".orch/big.md", &vec![b'x'; 300_000]);
    mkfifo(&store.path(".orch/pipe"));
    let fault = |path: &str| store.read_file(path).unwrap_err().to_string();
    assert_eq!(store.read_file(".orch/config.yaml").unwrap(), b"a: 1\n");
    assert_eq!(store.read_file(".orch/big.md").unwrap().len(), 300_000);
    assert_eq!(fault(".orch/none"), "does not exist");
    assert_eq!(fault(".orch/none/x"), "does not exist");
    assert_eq!(fault(".orch/pipe"), "is a named pipe");
    assert_eq!(fault(".orch"), "is a folder");
    let outside = "cannot be read: the path leads out of the repository";
    for path in ["../x", "/etc/passwd", ".orch/../../x", "a//b", "", ".orch/."] {
        assert_eq!(fault(path), outside, "{path:?}");
        assert!(store.create(path, b"x").is_err(), "{path:?}");
        assert!(store.replace(path, b"x").is_err(), "{path:?}");
    }
    assert_eq!(store.list(".orch").unwrap(), ["big.md", "config.yaml", "pipe"]);
    assert_eq!(store.list(".orch/none").unwrap(), [""; 0]);
}

#[test]
fn a_new_file_never_takes_the_place_of_another() {
    let (_folder, store) = new_store();
    store.create(".orch/runs/A.1.yaml", b"first").unwrap();
    let error = store.create(".orch/runs/A.1.yaml", b"second").unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(store.read_file(".orch/runs/A.1.yaml").unwrap(), b"first");
    assert_eq!(all_names(&store.path(".orch/runs")), ["A.1.yaml"]);
}

#[test]
fn replacing_keeps_permissions_and_leaves_nothing_behind() {
    let (_folder, store) = new_store();
    store.replace(".orch/tasks/a.md", b"one").unwrap();
    let path = store.path(".orch/tasks/a.md");
    for mode in [0o600, 0o755, 0o666, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        store.replace(".orch/tasks/a.md", b"two").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
    }
    assert_eq!(store.read_file(".orch/tasks/a.md").unwrap(), b"two");
    assert_eq!(all_names(&store.path(".orch/tasks")), ["a.md"]);
    store.sync_all(&[".orch/tasks/a.md"]).unwrap();
    store.remove(".orch/tasks/a.md").unwrap();
    store.remove(".orch/tasks/a.md").unwrap();
    assert_eq!(all_names(&store.path(".orch/tasks")), [""; 0]);
}

#[test]
fn what_is_not_a_regular_file_is_not_replaced() {
    let (_folder, store) = new_store();
    put(&store, "target", b"old");
    std::os::unix::fs::symlink("../target", store.path(".orch/link.md")).unwrap();
    fs::create_dir(store.path(".orch/folder.md")).unwrap();
    for path in [".orch/link.md", ".orch/folder.md"] {
        let error = store.replace(path, b"new").unwrap_err();
        assert!(matches!(error, StoreError::Write { .. }), "{error}");
    }
    assert_eq!(store.read_file("target").unwrap(), b"old");
    assert_eq!(all_names(&store.path(".orch")), ["folder.md", "link.md"]);
}

#[test]
fn readers_never_see_a_torn_file() {
    let (_folder, store) = new_store();
    let path = ".orch/runs/A.1.yaml";
    let content = |i: u8| vec![b'a' + i % 26; 5_000 + usize::from(i) * 37];
    store.create(path, &content(0)).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut n_reads = 0;
            while !is_over.load(Ordering::Relaxed) || n_reads == 0 {
                let bytes = store.read_file(path).unwrap();
                assert_eq!(bytes, content((bytes.len() - 5_000).div_euclid(37) as u8));
                n_reads += 1;
            }
        });
        for i in 0..1_000_u32 {
            store.replace(path, &content((i % 200) as u8)).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn only_unfinished_files_of_dead_processes_are_swept() {
    let (_folder, store) = new_store();
    let mut dead = Command::new("true").spawn().unwrap();
    let dead_pid = dead.id();
    dead.wait().unwrap();
    let own = std::process::id();
    let names = [
        ("sub/.a.md.tmp-", format!("{dead_pid}-0"), false),
        (".b.md.tmp-", format!("{own}-9999999"), false),
        (".c.md.tmp-", "1-5".to_owned(), true),
        (".d.md.tmp-", "x-5".to_owned(), true),
        ("e.md.tmp-", format!("{dead_pid}-0"), true),
    ];
    for (name, tail, _) in &names {
        put(&store, &format!(".orch/tasks/{name}{tail}"), b"half");
    }
    assert_eq!(store.sweep_temp_files(".orch/tasks").unwrap(), 2);
    for (name, tail, stays) in &names {
        let path = store.path(&format!(".orch/tasks/{name}{tail}"));
        assert_eq!(path.exists(), *stays, "{}", path.display());
    }
    assert_eq!(store.sweep_temp_files(".orch/none").unwrap(), 0);
}

#[test]
fn the_store_is_found_from_below() {
    let (folder, store) = new_store();
    put(&store, "src/deep/x", b"");
    let found = Store::discover(&store.path("src/deep")).unwrap();
    assert_eq!(found.root(), folder.path());
    let empty = tempfile::tempdir().unwrap();
    let message = Store::discover(empty.path()).unwrap_err().to_string();
    assert!(message.contains("`orch init`"), "{message}");
}

fn all_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
