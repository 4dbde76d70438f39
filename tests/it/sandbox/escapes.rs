//! A worker that tries to get out, by all ways that are known here.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    process::{Child, Command, Stdio},
};

use super::{Run, Yard, is_possible};
use crate::cli::wait_for;

/// Tries to get out, and tells what worked.
const ESCAPE: &str = include_str!("escape.sh");

/// What a worker might reach outside.
struct World {
    yard: Yard,
    victim: Child,
    other_temporary: tempfile::NamedTempFile,
    shared_memory: tempfile::NamedTempFile,
    /// Sockets that somebody listens at.
    _listeners: (TcpListener, UnixListener, UnixListener),
}

impl World {
    /// Makes a plan of one task that tries to get out, beside one that works in a worktree.
    fn new(isolation: &str, keys: &str) -> Self {
        let mut victim = Command::new("sleep");
        let victim = victim.arg("1000").env("SECRET", "canary").stdin(Stdio::null()).spawn();
        let victim = victim.unwrap();
        let temporary = |folder: &str| {
            let file = tempfile::NamedTempFile::new_in(folder).unwrap();
            fs::write(file.path(), "secret\n").unwrap();
            file
        };
        let (other_temporary, shared_memory) = (temporary("/var/tmp"), temporary("/dev/shm"));
        let other = "worker: {command: 'echo secret; while test ! -e stop; do sleep 0.02; done', isolation: worktree}";
        let yard =
            Yard::new("worker: {grace: 1s}\nretry: {max_attempts: 1}\n", &[("other", other)]);
        yard.script("escape.sh", ESCAPE);
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("orch-{}", yard.root().display());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listening = UnixListener::bind_addr(&address).unwrap();
        let bound = UnixListener::bind(yard.outside.path().join("socket")).unwrap();
        let variables = [
            ("VICTIM", victim.id().to_string()),
            ("OUTSIDE", yard.outside.path().display().to_string()),
            ("OTHER_TMP", other_temporary.path().display().to_string()),
            ("SHARED_MEMORY", shared_memory.path().display().to_string()),
            ("PORT", tcp.local_addr().unwrap().port().to_string()),
            ("ABSTRACT", name),
        ];
        let variables: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}: \"{value}\"")).collect();
        let variables = variables.join(", ");
        let task = format!(
            "worker: {{command: './escape.sh && echo honest > work', isolation: {isolation}, \
             sandbox: {{network: off, hide: [~/notes]}}, env: {{{variables}}}}}\n{keys}"
        );
        yard.sandbox.write(".orch/tasks/evil.md", &format!("---\n{task}\n---\nEscape.\n"));
        for secret in ["file", "home/.ssh/id_test", "home/.netrc", "home/notes"] {
            yard.write_outside(secret, "secret\n");
        }
        yard.write_outside("home/.config/gh/hosts.yml", "secret\n");
        yard.commit();
        let listeners = (tcp, listening, bound);
        Self { yard, victim, other_temporary, shared_memory, _listeners: listeners }
    }

    /// Runs the plan: first the other worker is at work, then the one that tries to get out.
    fn run(&self) -> String {
        let root = self.yard.root();
        // The other one has a worktree, a prompt and a log by then.
        let task = root.join(".orch/tasks/evil.md");
        let text = fs::read_to_string(&task).unwrap();
        fs::write(&task, text.replace("---\nworker", "---\nstatus: hold\nworker")).unwrap();
        let run = Run::start(self.yard.command(&["run", "--plain"]));
        let other = root.join(".orch/local/worktrees/other");
        wait_for("the other worker", || {
            self.yard.read(".orch/local/logs/other/1.log").contains("secret")
        });
        fs::write(&task, text).unwrap();
        wait_for("the end of the escapes", || {
            let record = self.yard.read(".orch/runs/evil.1.yaml");
            record.contains("outcome: ")
        });
        fs::write(other.join("stop"), "").unwrap();
        run.end()
    }

    /// Checks that everything outside is as it was.
    fn assert_unchanged(&mut self) {
        let yard = &self.yard;
        for path in ["canary", "canary-link", ".git/hooks/post-commit", ".git/info/attributes"] {
            assert!(!yard.sandbox.path(path).exists(), "{path}");
        }
        assert_eq!(yard.read("README"), "read me\n");
        let mut left: Vec<_> =
            fs::read_dir(yard.home()).unwrap().flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(left, [".config", ".netrc", ".ssh", "notes"]);
        assert!(!yard.outside.path().join("x").exists());
        assert!(self.victim.try_wait().unwrap().is_none(), "the process outside was ended");
        for file in [self.other_temporary.path(), self.shared_memory.path()] {
            assert_eq!(fs::read_to_string(file).unwrap(), "secret\n");
        }
    }

    /// Returns what the tries are called, those alone that do no harm or all.
    fn tries(is_shallow: bool) -> BTreeSet<&'static str> {
        let named = ESCAPE.lines().filter_map(|line| {
            let (kind, rest) = line.split_once(' ')?;
            let is_one = kind == "try" || (kind == "deep" && !is_shallow);
            is_one.then(|| rest.split(' ').next()).flatten()
        });
        named.collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.victim.kill().unwrap_or_default();
        drop(self.victim.wait());
    }
}

#[test]
fn nothing_of_what_a_worker_in_a_sandbox_tries_works_and_its_work_lands() {
    if !is_possible() {
        return;
    }
    let mut world = World::new("sandbox", "completion: {verify: [./escape.sh]}");
    let before = fs::read_to_string(world.yard.root().join(".git/config")).unwrap();
    let text = world.run();
    let log = world.yard.read(".orch/local/logs/evil/1.log");
    assert_eq!(
        world.yard.ending("evil.1"),
        "succeeded: exit code 0, verify command passed",
        "{text}{log}{}",
        fs::read_to_string(world.yard.sandbox.path(".orch/local/worktrees/evil/escaped"))
            .unwrap_or_default()
    );
    let n_tries = World::tries(false).len();
    assert!(n_tries > 50, "{n_tries}");
    // The worker, and the verify command.
    assert_eq!(log.matches(&format!("tried {n_tries}\n")).count(), 2, "{log}");
    assert_eq!(world.yard.read("work"), "honest\n");
    assert!(!text.contains(" alarm "), "{text}");
    assert_eq!(fs::read_to_string(world.yard.root().join(".git/config")).unwrap(), before);
    world.assert_unchanged();
}

#[test]
fn without_a_sandbox_the_same_tries_work() {
    if !is_possible() {
        return;
    }
    let world = World::new("worktree", "");
    let task = world.yard.sandbox.path(".orch/tasks/evil.md");
    let text = fs::read_to_string(&task).unwrap();
    fs::write(&task, text.replace("env: {", "env: {SHALLOW: \"1\", ")).unwrap();
    let text = world.run();
    let escaped = world.yard.read(".orch/local/worktrees/evil/escaped");
    let worked: BTreeSet<&str> = escaped.lines().collect();
    let missing: Vec<_> = World::tries(true).into_iter().filter(|t| !worked.contains(t)).collect();
    assert!(missing.is_empty(), "{missing:?} {text}");
}
