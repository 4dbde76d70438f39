//! Addresses of git repositories on a host.

/// The address of a git repository on a host, as git is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    way: Way,
    host: String,
    port: Option<String>,
    path: String,
}

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Https,
    Http,
    Ssh,
}

/// Where hosts serve ssh beside their own name, and that name.
const SSH_HOSTS: [(&str, &str); 2] =
    [("ssh.github.com", "github.com"), ("altssh.gitlab.com", "gitlab.com")];

impl Address {
    /// Reads an address: `https://`, `http://`, `ssh://`, or `user@host:path`. `None` for a path on
    /// this machine, for one of which git would start a program (`ext::`), and for anything else.
    pub fn parse(url: &str) -> Option<Self> {
        let is_strange = |c: char| c.is_whitespace() || c.is_control() || "?#\\\"'<>".contains(c);
        if url.contains(is_strange) || url.contains("::") {
            return None;
        }
        let (way, place, path) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let way = match scheme.to_ascii_lowercase().as_str() {
                    "https" => Way::Https,
                    "http" => Way::Http,
                    "ssh" | "git+ssh" | "ssh+git" => Way::Ssh,
                    _ => return None,
                };
                let (place, path) = rest.split_once('/')?;
                (way, place, path)
            }
            None => {
                let (place, path) =
                    url.split_once(':').filter(|(place, _)| !place.contains('/'))?;
                (Way::Ssh, place, path)
            }
        };
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => (host, Some(port)),
            Some(_) => return None,
            None => (place, None),
        };
        let port = port.filter(|port| !port.is_empty() && *port != way.port());
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
        let is_step =
            |step: &str| !matches!(step, "" | "." | "..") && !step.starts_with(['-', '~']);
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty()
            || host.starts_with('-')
            || !host.chars().all(is_host)
            || !path.contains('/')
            || !path.split('/').all(is_step)
        {
            return None;
        }
        let (host, port) = (host.to_ascii_lowercase(), port.map(str::to_owned));
        Some(Self { way, host, port, path: path.to_owned() })
    }

    /// Returns the name of the host, in small letters.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns where the repository is on its host, as in `team/plan`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the host as browsers name it, with its port where that is not the usual one.
    pub fn web_host(&self) -> String {
        let by_ssh = SSH_HOSTS.iter().find(|(ssh, _)| *ssh == self.host);
        let host = by_ssh.map_or(self.host.as_str(), |(_, host)| host);
        match (&self.port, self.way) {
            (Some(port), Way::Https | Way::Http) => format!("{host}:{port}"),
            (Some(_), Way::Ssh) | (None, _) => host.to_owned(),
        }
    }

    /// Returns where the repository is seen with a browser.
    pub fn web(&self) -> String {
        let scheme = if self.way == Way::Http { "http" } else { "https" };
        format!("{scheme}://{}/{}", self.web_host(), self.path)
    }

    /// Says whether both lead to the same repository, by ssh or by https: who pushes may do it
    /// either way. What goes over the network as it is (`http://`) is another matter.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_plain = |address: &Self| address.way == Way::Http;
        is_plain(self) == is_plain(other)
            && self.web_host() == other.web_host()
            && self.path.eq_ignore_ascii_case(&other.path)
    }
}

impl Way {
    fn port(self) -> &'static str {
        match self {
            Self::Https => "443",
            Self::Http => "80",
            Self::Ssh => "22",
        }
    }
}

/// Returns an address as it may be shown: without the names and passwords that a token may be.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_ssh = scheme.to_ascii_lowercase().contains("ssh");
    match place.rsplit_once('@') {
        Some((user, host)) if is_ssh && !user.contains(':') => {
            format!("{scheme}://{user}@{host}{path}")
        }
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}
