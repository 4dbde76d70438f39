//! What a worker in a sandbox can write, see and reach, as the arguments of `bwrap`.
//!
//! All of the file system is there, read-only; what follows later in the list goes before what
//! stands earlier. So what is to be written comes first, then what must not be, whatever was asked
//! for: git folders, the plan, keys and passwords, and what belongs to other tasks.

pub mod hidden;
pub mod lack;
#[cfg(test)]
mod tests;

/// The program that makes sandboxes, as it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bwrap {
    /// Its file: looked up once, and never where a worker could have put another one.
    pub program: String,
    /// How much of it works here.
    pub strength: Strength,
}

/// How much of what makes a sandbox works on a machine, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Users of its own, and no further sandboxes inside: those could do more to the kernel.
    NoNesting,
    /// Users of its own.
    OwnUsers,
    /// The users of the machine, without their privileges.
    SharedUsers,
}

impl Strength {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::NoNesting, Self::OwnUsers, Self::SharedUsers];

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::NoNesting => &["--unshare-user", "--disable-userns"],
            Self::OwnUsers => &["--unshare-user"],
            Self::SharedUsers => &[],
        }
    }
}

/// What is covered so that nobody sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// A folder: an empty one is in its place.
    Folder(String),
    /// A file: an empty one is in its place.
    File(String),
}

/// All paths that matter for one sandbox. They exist, lead through no links, and are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Folders for temporary and running things: each sandbox has empty ones of its own.
    pub private: Vec<String>,
    /// What of that is there all the same, read-only.
    pub kept: Vec<String>,
    /// What may be written beside the worktree.
    pub write: Vec<String>,
    /// What is never written: git folders, the plan.
    pub guarded: Vec<String>,
    /// What is not seen.
    pub hidden: Vec<Cover>,
    /// The folder of the coordinator: what is in it is not seen.
    pub local: String,
    /// What of that is there all the same, read-only.
    pub shown: Vec<String>,
    /// The worktree.
    pub worktree: String,
    /// The file in it that says where its git folder is.
    pub link: String,
    /// Where the command is started.
    pub folder: String,
}

/// Returns what stands before a command that is run in a sandbox; `variables` are set inside only.
pub fn argv(
    bwrap: &Bwrap,
    has_network: bool,
    places: &Places,
    variables: &[(String, String)],
) -> Vec<String> {
    let mut line = Line::begin(bwrap, has_network);
    for folder in &places.private {
        line.add(["--tmpfs", folder]);
    }
    line.binds("--ro-bind", &places.kept);
    line.binds("--bind", &places.write);
    line.binds("--ro-bind", &places.guarded);
    for cover in &places.hidden {
        match cover {
            Cover::Folder(path) => line.add(["--tmpfs", path, "--remount-ro", path]),
            Cover::File(path) => line.add(["--ro-bind", "/dev/null", path]),
        }
    }
    line.add(["--tmpfs", &places.local]);
    line.binds("--ro-bind", &places.shown);
    line.binds("--bind", std::slice::from_ref(&places.worktree));
    line.binds("--ro-bind", std::slice::from_ref(&places.link));
    line.add(["--remount-ro", &places.local, "--chdir", &places.folder]);
    for (name, value) in variables {
        line.add(["--setenv", name, value]);
    }
    line.end()
}

/// Returns the whole command by which is found out whether a sandbox can be made.
pub fn probe(bwrap: &Bwrap) -> Vec<String> {
    let mut line = Line::begin(bwrap, false);
    line.add(["--tmpfs", "/tmp"]);
    let mut words = line.end();
    words.extend([bwrap.program.clone(), "--version".to_owned()]);
    words
}

/// A list of arguments under construction.
struct Line(Vec<String>);

impl Line {
    fn begin(bwrap: &Bwrap, has_network: bool) -> Self {
        let mut line = Self(vec![bwrap.program.clone()]);
        line.add(bwrap.strength.arguments().iter().copied());
        line.add(["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]);
        if !has_network {
            line.add(["--unshare-net"]);
        }
        // No terminal to type into, no privileges to begin with, and an end with whoever started it.
        line.add(["--new-session", "--die-with-parent", "--cap-drop", "ALL"]);
        line.add(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
        // Root may set up the machine there, also without any privilege.
        line.add(["--remount-ro", "/proc"]);
        line
    }

    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.0.extend(words.into_iter().map(str::to_owned));
    }

    fn binds(&mut self, how: &str, paths: &[String]) {
        for path in paths {
            self.add([how, path, path]);
        }
    }

    fn end(mut self) -> Vec<String> {
        self.add(["--"]);
        self.0
    }
}

/// Variables by which the system loads other code into a program than its own: they are for the
/// command, not for the program that makes its sandbox.
pub fn is_for_loader(variable: &str) -> bool {
    variable.starts_with("LD_") || matches!(variable, "GLIBC_TUNABLES" | "GCONV_PATH" | "LOCPATH")
}
