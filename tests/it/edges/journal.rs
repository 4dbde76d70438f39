//! The journal of the coordinator.

use std::{fs::OpenOptions, io::Write as _};

use orch::io::store::{Journal, JournalLine};

use super::{new_store, put};

const PATH: &str = ".orch/local/journal.jsonl";

fn record(n: u32) -> JournalLine {
    JournalLine::Record { path: format!(".orch/runs/A.{n}.yaml"), text: "a: 1\nb: \"é\"\n".into() }
}

#[test]
fn lines_come_back_in_order_after_a_restart() {
    let (_folder, store) = new_store();
    let (mut journal, lines) = Journal::open(&store).unwrap();
    assert_eq!(lines, []);
    journal.append(&record(1));
    journal.append(&record(9));
    assert_eq!(journal.size(), 0);
    journal.flush().unwrap();
    journal.append(&record(2));
    journal.sync().unwrap();
    journal.append(&record(3));
    // The last line was never flushed.
    drop(journal);
    let (mut journal, lines) = Journal::open(&store).unwrap();
    assert_eq!(lines, [record(1), record(9), record(2)]);
    journal.append(&record(4));
    journal.reset().unwrap();
    journal.append(&record(5));
    journal.flush().unwrap();
    assert_eq!(Journal::open(&store).unwrap().1, [record(5)]);
}

#[test]
fn a_torn_last_line_is_dropped_for_good() {
    let (_folder, store) = new_store();
    let (mut journal, _) = Journal::open(&store).unwrap();
    journal.append(&record(1));
    journal.flush().unwrap();
    drop(journal);
    let whole = std::fs::read(store.path(PATH)).unwrap();
    for n_bytes in [1, whole.len() / 2, whole.len() - 1] {
        let mut file = OpenOptions::new().append(true).open(store.path(PATH)).unwrap();
        file.write_all(whole.split_at(n_bytes).0).unwrap();
        let (mut journal, lines) = Journal::open(&store).unwrap();
        assert_eq!(lines, [record(1)], "{n_bytes}");
        journal.append(&record(9));
        journal.flush().unwrap();
        assert_eq!(Journal::open(&store).unwrap().1, [record(1), record(9)], "{n_bytes}");
        put(&store, PATH, &whole);
    }
}

#[test]
fn a_line_that_makes_no_sense_does_not_hide_the_others() {
    let (_folder, store) = new_store();
    let line = serde_json::to_string(&record(1)).unwrap();
    put(&store, PATH, format!("{line}\nx\n\n\0\0\0\n{{\"kind\":\"new\"}}\n{line}\n").as_bytes());
    assert_eq!(Journal::open(&store).unwrap().1, [record(1), record(1)]);
}
