//! Named inputs that are hard on a reader, and all of them through every command that reads.
//!
//! What a person should be told of a file lies in `fixtures/input`, beside what it is told of. Here
//! is the crowd: it must be told of in time, in plain letters, and without a panic. To add an input,
//! add a line to a table; to tell what it is told of, make a folder. What fuzzing found lies in
//! `fixtures/found`, by the name of its property, and must hold ever after.

mod bombs;
mod commands;
mod others;
mod texts;
mod values;

use std::{collections::BTreeSet, ffi::OsString, fs, os::unix::ffi::OsStringExt as _};

use self::commands::{Files, Plan};
use crate::{properties, source};

/// Most files in one plan: a command for each of them reads them all.
const FILES_MAX: usize = 25;

/// Returns `value` as YAML in quotes.
fn quoted(value: &str) -> String {
    let spelled: String = value.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    format!("\"{spelled}\"")
}

/// A task in which a value stands wherever a value may stand.
fn with_value((name, value, is_bare): &(String, &str, bool)) -> (String, Vec<u8>) {
    let v = if *is_bare { (*value).to_owned() } else { quoted(value) };
    let text = match is_bare {
        true => format!(
            "---\ntitle: {v}\npriority: {v}\nestimate: {v}\nlevel: {v}\nstatus: {v}\nodd: {v}\n\
             depends_on:\n  - {v}\nbudget:\n  tokens: {v}\n  cost_usd: {v}\n---\n"
        ),
        false => format!(
            "---\ntitle: {v}\ndepends_on: [{v}]\nrole: {v}\nmilestone: {v}\nphase: {v}\n\
             workstream: {v}\ntags: [{v}]\nfiles: [{v}]\nwaits_for: [{v}]\npriority: {v}\n\
             worker: {{command: [{v}, {v}], agent: {v}, model: {v}, env: {{A: {v}}}, executor: {v}}}\n\
             completion: {{verify: [[{v}], {v}], signal: {v}}}\nodd: {v}\n---\n# {value}\n- [ ] {value}\n"
        ),
    };
    (format!("{name}.md"), text.into_bytes())
}

/// A task with a value for its id.
fn with_id((name, value, _): &(String, &str, bool)) -> (String, Vec<u8>) {
    (format!("id-{name}.md"), format!("---\nid: {}\n---\n", quoted(value)).into_bytes())
}

/// Puts files into plans of a bearable size.
fn tasks(files: &[(String, Vec<u8>)]) -> Vec<Plan> {
    let path = |name: &String| OsString::from(format!(".orch/tasks/{name}"));
    let chunks = files.chunks(FILES_MAX);
    let plan = |chunk: &[(String, Vec<u8>)]| {
        let files = chunk.iter().map(|(name, bytes)| (path(name), bytes.clone()));
        Plan { name: chunk[0].0.clone(), files: files.collect() }
    };
    chunks.map(plan).collect()
}

fn value_plans() -> Vec<Plan> {
    tasks(&values::all().iter().map(with_value).collect::<Vec<_>>())
}

fn id_plans() -> Vec<Plan> {
    let all = values::all();
    tasks(&all.iter().filter(|(_, _, is_bare)| !is_bare).map(with_id).collect::<Vec<_>>())
}

fn text_plans() -> Vec<Plan> {
    let named = texts::FILES.iter().map(|(name, text)| (format!("{name}.md"), text.to_vec()));
    tasks(&named.collect::<Vec<_>>())
}

/// Settings each in a plan of its own; the other files together.
fn other_plans() -> Vec<Plan> {
    let task = |id: &str| {
        let text = format!("---\ntitle: {id}\nrole: empty\nmilestone: x\nlevel: 1\n---\n");
        (OsString::from(format!(".orch/tasks/{id}.md")), text.into_bytes())
    };
    let settings = others::SETTINGS.iter().map(|(name, text)| {
        let config = (OsString::from(".orch/config.yaml"), text.to_vec());
        Plan { name: format!("settings-{name}"), files: vec![task("a"), config] }
    });
    let files = others::FILES.iter().map(|(_, path, text)| (OsString::from(path), text.to_vec()));
    let files: Files = [task("a"), task("b")].into_iter().chain(files).collect();
    settings.chain([Plan { name: "others".to_owned(), files }]).collect()
}

fn name_plans() -> Vec<Plan> {
    let path = |name: &&[u8]| OsString::from_vec([b".orch/tasks/", *name].concat());
    let chunks = others::NAMES.chunks(FILES_MAX);
    let plan = |chunk: &[&[u8]]| {
        let files = chunk.iter().map(|name| (path(name), b"---\ntitle: named\n---\n".to_vec()));
        Plan { name: format!("names from {}", chunk[0].escape_ascii()), files: files.collect() }
    };
    chunks.map(plan).collect()
}

#[test]
fn there_are_enough_inputs_and_each_has_a_name() {
    let plans =
        [value_plans(), id_plans(), text_plans(), other_plans(), name_plans(), bombs::plans()];
    let mut names = BTreeSet::new();
    for plan in plans.iter().flatten() {
        let is_own = plan.name.starts_with("settings-") || plan.name.starts_with("bomb-");
        for (path, _) in &plan.files {
            let name = if is_own { plan.name.clone().into() } else { path.clone() };
            assert!(names.insert(name) || is_own, "{path:?} stands twice");
        }
    }
    let n_fixtures = source::n_files("fixtures/input") + source::n_files("fixtures/check");
    assert!(names.len() >= 600, "{} inputs, beside {n_fixtures} files", names.len());
}

#[test]
fn values_are_told_by_every_command() {
    commands::run_all(&value_plans());
}

#[test]
fn ids_are_told_by_every_command() {
    commands::run_all(&id_plans());
}

#[test]
fn texts_are_told_by_every_command() {
    commands::run_all(&text_plans());
}

#[test]
fn other_files_are_told_by_every_command() {
    commands::run_all(&other_plans());
}

#[test]
fn names_are_told_by_every_command() {
    commands::run_all(&name_plans());
}

#[test]
fn bombs_are_told_by_every_command_in_little_memory() {
    commands::run_within_memory(&bombs::plans());
}

/// Every property on every input, and on what a few changes make of it.
#[test]
fn all_that_must_hold_holds_for_every_input() {
    let plans = [value_plans(), id_plans(), text_plans(), other_plans()];
    let mut random = fastrand::Rng::with_seed(11);
    for (path, bytes) in plans.iter().flatten().flat_map(|plan| &plan.files) {
        for (name, property) in properties::ALL {
            holds(&format!("{name} of {}", path.display()), property, bytes);
            holds(
                &format!("{name} of a form of {}", path.display()),
                property,
                &changed(bytes, &mut random),
            );
        }
    }
}

/// What was found once is never found again.
#[test]
fn what_fuzzing_found_is_mended() {
    for name in source::folders("fixtures/found") {
        let property = properties::ALL.iter().find(|(known, _)| *known == name);
        let (_, property) = property.unwrap_or_else(|| panic!("there is no property `{name}`"));
        for entry in fs::read_dir(source::root().join("fixtures/found").join(&name)).unwrap() {
            let path = entry.unwrap().path();
            holds(&path.display().to_string(), *property, &fs::read(&path).unwrap());
        }
    }
}

/// Names the input for which a property does not hold.
fn holds(what: &str, property: properties::Property, bytes: &[u8]) {
    let is_held = std::panic::catch_unwind(|| property(bytes)).is_ok();
    assert!(is_held, "{what}: {}", bytes.escape_ascii());
}

/// Makes a small change, as a slip of a hand or a torn write would.
fn changed(bytes: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return b"\xff".to_vec();
    }
    let at = random.usize(..bytes.len());
    match random.u8(..4) {
        0 => bytes[at] = random.u8(..),
        1 => drop(bytes.remove(at)),
        2 => bytes.truncate(at),
        _ => {
            let piece: &[u8] =
                [b"\r\n".as_slice(), b": ", b"- ", b"\"", b"{", b"#", b"\t", b"---\n"]
                    [random.usize(..8)];
            drop(bytes.splice(at..at, piece.iter().copied()));
        }
    }
    bytes
}
