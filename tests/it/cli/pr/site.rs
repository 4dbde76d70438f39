//! A plan on a branch, a remote beside it, and stand-ins for the programs of hosts.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::cli::{Output, Sandbox, planted::git, record};

/// Programs that the stand-ins and workers may call; no real `gh` or `glab` is in reach.
const TOOLS: [&str; 8] = ["cat", "env", "git", "ls", "sh", "sleep", "touch", "true"];

/// Writes down how it was called, and answers as the programs do, both in one: `$0` tells which it
/// is. The file `open` is what is open at the host, `fail-WHAT` what it fails with.
pub(super) const STAND_IN: &str = r#"#!/bin/sh
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
n=$(ls calls | wc -l)
mkdir calls/$n
{ printf '%s\0' "${0##*/}" "$@"; } > calls/$n/argv
cat > calls/$n/stdin
env > calls/$n/env
if [ -e "fail-$2" ]; then cat "fail-$2" >&2; exit 4; fi
case "${0##*/}" in
  gh) url=https://github.com/team/plan/pull/12 ;;
  glab) url=https://gitlab.com/team/plan/-/merge_requests/12 ;;
esac
case "$2" in
  list) if [ -e open ]; then cat open; else echo '[]'; fi ;;
  create)
    if [ -e open ] && [ ! -e two ]; then echo "a request for this branch is open already" >&2; exit 1; fi
    case "${0##*/}" in
      gh) echo '[{"number": 12, "url": "'$url'", "baseRefName": "main", "isDraft": false, "isCrossRepository": false}]' > open ;;
      glab) echo '[{"iid": 12, "web_url": "'$url'", "target_branch": "main", "draft": false, "source_project_id": 1, "target_project_id": 1}]' > open ;;
    esac
    echo "Creating request" >&2
    printf '!12 A title (plan)\n %s\n\n' $url ;;
  edit|update) echo $url ;;
  *) echo "unknown command" >&2; exit 1 ;;
esac
"#;

/// Takes the place of ssh: serves the remote that lies beside.
const SSH: &str = "#!/bin/sh\n[ \"$1\" = -G ] && exit 0\ncd \"$(dirname \"$0\")\"\ntouch reached\n\
                   exec git receive-pack remote.git\n";

pub(super) const PLAN: &[(&str, &str)] = &[
    (".orch/config.yaml", "worker: {command: 'true'}\n"),
    (".orch/tasks/a.md", "---\ntitle: First\nmilestone: beta\n---\n"),
    (".orch/tasks/b.md", "---\ntitle: Second `$(touch canary)`\nmilestone: beta\n---\n"),
    (".orch/tasks/c.md", "---\ntitle: Third\nmilestone: alpha\ndepends_on: b\n---\n"),
    (".orch/tasks/d.md", "---\ntitle: Fourth\nstatus: hold\n---\n"),
    (".orch/tasks/gone.md", "---\nmilestone: beta\nstatus: cancelled\n---\n"),
];

/// A plan on the branch `plan`, and a host.
pub(super) struct Site {
    pub(super) sandbox: Sandbox,
    pub(super) beside: tempfile::TempDir,
}

/// A call of a stand-in.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) argv: Vec<String>,
    pub(super) stdin: String,
    pub(super) env: String,
}

impl Site {
    /// Makes the plan, with one commit more on `plan` than on `main`, which the remote has.
    pub(super) fn new(program: &str) -> Self {
        Self::with(program, PLAN)
    }

    pub(super) fn with(program: &str, files: &[(&str, &str)]) -> Self {
        let site = Self { sandbox: Sandbox::with(files), beside: tempfile::tempdir().unwrap() };
        for folder in ["bin", "tools", "calls"] {
            fs::create_dir(site.beside(folder)).unwrap();
        }
        for tool in TOOLS.iter().chain(&["dirname", "mkdir", "readlink", "wc"]) {
            symlink(found(tool), site.beside("tools").join(tool)).unwrap();
        }
        site.script("ssh", SSH);
        site.install(program);
        git(site.beside.path(), "init -q --bare remote.git");
        site.sandbox.write(".orch/.gitignore", "local/\n");
        for command in [
            "init -q -b main",
            "config user.name A",
            "config user.email a@example.com",
            "add -A",
            "commit -qm begin",
        ] {
            site.git(command);
        }
        let host = if program == "glab" { "gitlab" } else { "github" };
        site.git(&format!("remote add origin git@{host}.com:team/plan.git"));
        site.git(&format!("push -q {} main", site.beside("remote.git").display()));
        site.git("update-ref refs/remotes/origin/main main");
        site.git("symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main");
        site.git("switch -qc plan");
        site.sandbox.write(".orch/runs/a.1.yaml", &record("a", 1, "succeeded"));
        site.commit("work");
        site
    }

    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.beside.path().join(path)
    }

    pub(super) fn script(&self, path: &str, text: &str) {
        fs::write(self.beside(path), text).unwrap();
        fs::set_permissions(self.beside(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn install(&self, program: &str) {
        self.script(&format!("bin/{program}"), STAND_IN);
    }

    pub(super) fn git(&self, arguments: &str) -> String {
        git(self.sandbox.root(), arguments)
    }

    pub(super) fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q -m {message}"));
    }

    pub(super) fn head(&self) -> String {
        self.git("rev-parse HEAD").trim().to_owned()
    }

    /// Returns what a branch of the remote points to; nothing where it is not there.
    pub(super) fn at_remote(&self, branch: &str) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(self.beside("remote.git"))
            .args(["for-each-ref", "--format=%(objectname)"]);
        let output = command.arg(format!("refs/heads/{branch}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args);
        let path = [self.beside("bin"), self.beside("tools")];
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.env("GIT_SSH_COMMAND", self.beside("ssh")).env("GH_TOKEN", "of-the-user");
        command
    }

    pub(super) fn orch(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Returns how the stand-ins were called, in order.
    pub(super) fn calls(&self) -> Vec<Call> {
        let read = |n: usize, file: &str| {
            fs::read_to_string(self.beside(&format!("calls/{n}/{file}"))).unwrap()
        };
        let n_calls = fs::read_dir(self.beside("calls")).unwrap().count();
        let call = |n| Call {
            argv: read(n, "argv").split_terminator('\0').map(str::to_owned).collect(),
            stdin: read(n, "stdin"),
            env: read(n, "env"),
        };
        (0..n_calls).map(call).collect()
    }

    /// Says whether nobody was asked for anything.
    pub(super) fn is_untouched(&self) -> bool {
        self.calls().is_empty() && !self.beside("reached").exists()
    }
}

/// Finds a program of this machine.
fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.into_iter().find(|file| Path::is_file(file)).unwrap()
}
