//! The lock of the coordinator.

use std::{
    fs,
    process::{Command, Stdio},
};

use orch::{
    domain::model::time::{Now, Timestamp},
    io::store::{Lock, LockError, LockInfo, lock::holder},
};

use super::{KillOnDrop, new_store, put, wait_for_line};

const NOON: Timestamp = Timestamp(1_795_000_000_000);

fn now() -> Now {
    Now { wall: NOON, ..Now::default() }
}

#[test]
fn the_second_coordinator_is_told_who_the_first_is() {
    let (_folder, store) = new_store();
    assert_eq!(holder(&store).unwrap(), None);
    let lock = Lock::take(&store, now()).unwrap();
    let info = holder(&store).unwrap().unwrap();
    assert_eq!((info.pid, &*info.started), (std::process::id(), &*NOON.to_string()));
    let error = Lock::take(&store, now()).unwrap_err();
    assert!(matches!(&error, LockError::Held(Some(held)) if *held == info), "{error}");
    assert!(error.to_string().contains(&format!("process {}", info.pid)), "{error}");
    assert_eq!(lock.misplaced().unwrap(), None);
    drop(lock);
    assert_eq!(holder(&store).unwrap(), None);
    Lock::take(&store, now()).unwrap();
}

#[test]
fn a_dead_holder_holds_nothing() {
    let (_folder, store) = new_store();
    // A shell that holds the lock by its descriptor 9 alone, as a coordinator does.
    drop(Lock::take(&store, now()).unwrap());
    let ready = store.path("ready");
    let script = "exec 9<>.orch/local/lock; flock 9; echo ready > ready; exec sleep 600";
    let other = Command::new("sh")
        .args(["-c", script])
        .current_dir(store.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut other = KillOnDrop(other);
    wait_for_line(&ready);
    let info = LockInfo {
        pid: other.0.id(),
        boot_id: String::new(),
        started: NOON.to_string(),
        host: "here".to_owned(),
    };
    put(&store, ".orch/local/lock", serde_json::to_string(&info).unwrap().as_bytes());
    assert_eq!(holder(&store).unwrap(), Some(info.clone()));
    let error = Lock::take(&store, now()).unwrap_err();
    assert!(matches!(&error, LockError::Held(Some(held)) if *held == info), "{error}");

    other.stop();
    assert_eq!(holder(&store).unwrap(), None);
    let _lock = Lock::take(&store, now()).unwrap();
    assert_eq!(holder(&store).unwrap().unwrap().pid, std::process::id());
}

#[test]
fn what_stands_in_the_file_does_not_decide() {
    let (_folder, store) = new_store();
    for text in ["", "garbage", "{\"pid\":1,\"boot_id\":\"\",\"started\":\"x\",\"host\":\"y\"}"] {
        put(&store, ".orch/local/lock", text.as_bytes());
        assert_eq!(holder(&store).unwrap(), None);
        drop(Lock::take(&store, now()).unwrap());
    }
    let _lock = Lock::take(&store, now()).unwrap();
    put(&store, ".orch/local/lock", b"garbage");
    let error = Lock::take(&store, now()).unwrap_err();
    assert!(matches!(&error, LockError::Held(None)), "{error}");
    assert_eq!(holder(&store).unwrap().unwrap().pid, 0);
}

#[test]
fn a_removed_lock_is_noticed() {
    let (_folder, store) = new_store();
    let lock = Lock::take(&store, now()).unwrap();
    fs::remove_file(store.path(".orch/local/lock")).unwrap();
    assert!(lock.misplaced().unwrap().is_some());
}
