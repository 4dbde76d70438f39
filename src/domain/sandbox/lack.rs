//! Why there is no sandbox, and what to do.

use crate::domain::model::sandbox::Lack;

/// The program that makes sandboxes, and the package that it comes in.
pub const PROGRAM: &str = "bwrap";

/// Words by which the program tells that the system lets it make no namespaces.
const REFUSALS: [&str; 6] = [
    "namespace",
    "uid map",
    "gid map",
    "permission denied",
    "operation not permitted",
    "no space left on device",
];

/// There is no such program.
pub fn missing(reason: &str) -> Lack {
    Lack {
        cause: format!("there is no sandbox here: {reason}"),
        help: "install the package `bubblewrap`".to_owned(),
    }
}

/// The program was started, and said `words`.
pub fn refused(words: &str) -> Lack {
    let line = words.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("it did not say why");
    let line = line.strip_prefix("bwrap: ").unwrap_or(line).trim_end_matches('.');
    let is_refusal = REFUSALS.iter().any(|word| line.to_lowercase().contains(word));
    let help = match is_refusal {
        true => {
            "let users make namespaces: `sysctl user.max_user_namespaces` above 0, \
             `kernel.unprivileged_userns_clone=1`, `kernel.apparmor_restrict_unprivileged_userns=0`; \
             in a container, start that with leave to (docker: `--security-opt seccomp=unconfined \
             --security-opt systempaths=unconfined`)"
        }
        false => "run `bwrap --ro-bind / / --proc /proc true` by hand to see why",
    };
    Lack { cause: format!("no sandbox can be made here: bwrap: {line}"), help: help.to_owned() }
}

/// A folder is open in every program that is started, with the number `descriptor`.
pub fn way_out(descriptor: u32, folder: &str) -> Lack {
    Lack {
        cause: format!(
            "a sandbox would have a way out: whoever started orch left the folder {folder} open for \
             it (descriptor {descriptor})"
        ),
        help: format!("start it with `{descriptor}<&-` behind the command"),
    }
}

/// A sandbox encloses a worktree, and there is none.
pub fn without_worktrees(reason: &str) -> Lack {
    Lack {
        cause: format!("a sandbox encloses a git worktree, but {reason}"),
        help: "make a repository with a commit and check a branch out, or set `isolation: none`"
            .to_owned(),
    }
}
