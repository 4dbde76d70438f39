//! What a worker in a sandbox may do beside writing in its worktree.

/// What a task, a role or the settings say of the sandbox of a worker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SandboxSpec {
    /// Whether it reaches other machines; `None` where nobody says.
    pub network: Option<Network>,
    /// What it may write beside its worktree, as written.
    pub write: Vec<String>,
    /// What it does not see, beside what no worker in a sandbox sees; as written.
    pub hide: Vec<String>,
}

/// Whether a worker in a sandbox reaches other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Network {
    /// As without a sandbox: coding agents ask their providers.
    #[default]
    On,
    /// Nobody, this machine included.
    Off,
}

/// Why no task can run in a sandbox here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// Why, as a phrase.
    pub cause: String,
    /// What to do.
    pub help: String,
}

impl Network {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 2] = [("on", Self::On), ("off", Self::Off)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl SandboxSpec {
    /// Puts together what `all` say, the nearest first: the first word about the network counts, and
    /// paths add up.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for spec in all {
            sum.network = sum.network.or(spec.network);
            sum.write.extend(spec.write.iter().cloned());
            sum.hide.extend(spec.hide.iter().cloned());
        }
        for paths in [&mut sum.write, &mut sum.hide] {
            paths.sort();
            paths.dedup();
        }
        sum
    }

    /// Says whether other machines are reached.
    pub fn has_network(&self) -> bool {
        self.network.unwrap_or_default() == Network::On
    }
}

/// Where a path of a sandbox begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'a> {
    /// At the top of the file system.
    Top(&'a str),
    /// In the home folder: `~`, or what follows `~/`.
    Home(&'a str),
    /// In the folder of the plan.
    Root(&'a str),
}

/// Folders whose content the system makes up: they are not to be shown as they are outside.
const MADE_UP: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Takes a path of a sandbox apart.
///
/// # Errors
/// Why it is none, as a phrase.
pub fn base_of(path: &str) -> Result<Base<'_>, &'static str> {
    let mut parts = path.split('/');
    if path.is_empty() {
        return Err("it is empty");
    }
    if path.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    if parts.any(|part| part == "..") {
        return Err("it leads upwards with `..`");
    }
    if path == "~" {
        return Ok(Base::Home(""));
    }
    if let Some(rest) = path.strip_prefix("~/") {
        return Ok(Base::Home(rest));
    }
    if path.starts_with('~') {
        return Err("it names the home folder of another user");
    }
    if !path.starts_with('/') {
        return Ok(Base::Root(path));
    }
    if path.trim_matches('/').is_empty() {
        return Err("it is the whole file system");
    }
    let is_below = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match MADE_UP.into_iter().any(is_below) {
        true => Err("the system makes up what is there"),
        false => Ok(Base::Top(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts_and_paths_add_up() {
        let spec = |network, write: &[&str]| SandboxSpec {
            network,
            write: write.iter().map(|path| (*path).to_owned()).collect(),
            hide: Vec::new(),
        };
        let task = spec(None, &["b", "a"]);
        let role = spec(Some(Network::Off), &["a"]);
        let config = spec(Some(Network::On), &[]);
        let sum = SandboxSpec::of([&task, &role, &config]);
        assert_eq!(sum, spec(Some(Network::Off), &["a", "b"]));
        assert!(!sum.has_network() && SandboxSpec::default().has_network());
    }

    #[test]
    fn a_path_begins_at_the_top_at_home_or_in_the_plan() {
        let table = [
            ("/srv/cache", Ok(Base::Top("/srv/cache"))),
            ("~/.claude", Ok(Base::Home(".claude"))),
            ("~", Ok(Base::Home(""))),
            ("target", Ok(Base::Root("target"))),
            ("a..b/c", Ok(Base::Root("a..b/c"))),
            ("/process", Ok(Base::Top("/process"))),
            ("", Err("it is empty")),
            ("/", Err("it is the whole file system")),
            ("//", Err("it is the whole file system")),
            ("../x", Err("it leads upwards with `..`")),
            ("~/../x", Err("it leads upwards with `..`")),
            ("~root", Err("it names the home folder of another user")),
            ("/proc", Err("the system makes up what is there")),
            ("/sys/fs/cgroup", Err("the system makes up what is there")),
            ("a\nb", Err("it holds a control character")),
        ];
        for (path, expected) in table {
            assert_eq!(base_of(path), expected, "{path:?}");
        }
    }
}
