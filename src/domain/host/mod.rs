//! Hosts of repositories: how `gh` and `glab` are asked for pull requests, and what they answer.
//!
//! One file per host holds all that is known of its program. No text goes through a shell, and
//! none stands where it could be taken for an option: values follow their option behind a `=`.

mod address;
mod github;
mod gitlab;

#[cfg(test)]
mod tests;

pub use self::address::{Address, without_secrets};

use serde_json::Value;

use super::model::remote::HostWord;

/// A host of repositories, with the program that speaks to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// GitHub, with `gh`.
    GitHub,
    /// GitLab, with `glab`.
    GitLab,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The repository.
    pub address: &'a Address,
    /// The branch with the work.
    pub branch: &'a str,
    /// The branch that it is for.
    pub base: &'a str,
    /// On one line.
    pub title: &'a str,
    /// Markdown.
    pub body: &'a str,
    /// Whether it is opened as a draft.
    pub is_draft: bool,
}

/// How a program is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What follows its name.
    pub arguments: Vec<String>,
    /// What it reads from standard input.
    pub input: String,
}

/// A request that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub number: u64,
    /// Where it is seen.
    pub url: String,
    /// The branch that it is for.
    pub base: String,
    /// Whether it is a draft.
    pub is_draft: bool,
}

impl Host {
    /// Finds the host at an address: what the settings say, what its name tells, or the one whose
    /// program is there. `None` where none of them tells.
    pub fn of(
        word: HostWord,
        address: &Address,
        is_there: impl Fn(&'static str) -> bool,
    ) -> Option<Self> {
        match word {
            HostWord::GitHub => return Some(Self::GitHub),
            HostWord::GitLab => return Some(Self::GitLab),
            HostWord::Auto => {}
        }
        let name = address.host();
        match (name.contains("github") || name.ends_with(".ghe.com"), name.contains("gitlab")) {
            (true, false) => return Some(Self::GitHub),
            (false, true) => return Some(Self::GitLab),
            _ => {}
        }
        match (is_there(Self::GitHub.program()), is_there(Self::GitLab.program())) {
            (true, false) => Some(Self::GitHub),
            (false, true) => Some(Self::GitLab),
            _ => None,
        }
    }

    /// Returns the word for it in the settings.
    pub fn word(self) -> HostWord {
        match self {
            Self::GitHub => HostWord::GitHub,
            Self::GitLab => HostWord::GitLab,
        }
    }

    /// Returns the program that speaks to it.
    pub fn program(self) -> &'static str {
        match self {
            Self::GitHub => "gh",
            Self::GitLab => "glab",
        }
    }

    /// Returns where that program is to be had.
    pub fn program_home(self) -> &'static str {
        match self {
            Self::GitHub => "https://cli.github.com",
            Self::GitLab => "https://docs.gitlab.com/cli/",
        }
    }

    /// Returns what people call a request there.
    pub fn noun(self) -> &'static str {
        match self {
            Self::GitHub => "pull request",
            Self::GitLab => "merge request",
        }
    }

    /// Returns what stands before the number of a request.
    pub fn sign(self) -> char {
        match self {
            Self::GitHub => '#',
            Self::GitLab => '!',
        }
    }

    /// Returns environment variables that keep the program from asking, from telling of newer
    /// versions, and from colors; `None` for those that it must not have.
    pub fn variables(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            Self::GitHub => github::VARIABLES,
            Self::GitLab => gitlab::VARIABLES,
        }
    }

    /// Returns how the repository is named to the program; `None` where it cannot be one there.
    pub fn repository(self, address: &Address) -> Option<String> {
        match self {
            Self::GitHub => github::repository(address),
            Self::GitLab => Some(address.web()),
        }
    }

    /// Returns the call that lists what is open for the branch.
    pub fn list(self, request: &Request<'_>) -> Call {
        match self {
            Self::GitHub => github::list(request),
            Self::GitLab => gitlab::list(request),
        }
    }

    /// Reads what that call prints: the requests that come from the repository itself. A fork may
    /// have a branch of the same name, and its requests are somebody else's.
    ///
    /// # Errors
    /// Why it cannot be understood, as a phrase.
    pub fn read_list(self, printed: &str) -> Result<Vec<Open>, String> {
        let strange = || format!("`{}` printed no list of requests", self.program());
        let all = match serde_json::from_str(printed) {
            Ok(Value::Array(all)) => all,
            // So some programs write an empty list.
            Ok(Value::Null) => Vec::new(),
            _ => return Err(strange()),
        };
        let read = match self {
            Self::GitHub => github::read,
            Self::GitLab => gitlab::read,
        };
        let read = all.iter().map(|one| read(one).ok_or_else(strange));
        let found: Result<Vec<Option<Open>>, String> = read.collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Returns the call that opens a request.
    pub fn create(self, request: &Request<'_>) -> Call {
        match self {
            Self::GitHub => github::create(request),
            Self::GitLab => gitlab::create(request),
        }
    }

    /// Returns the call that gives an open request another title and body.
    pub fn update(self, request: &Request<'_>, open: &Open) -> Call {
        match self {
            Self::GitHub => github::update(request, open),
            Self::GitLab => gitlab::update(request, open),
        }
    }

    /// Returns where a person opens the request without the program.
    pub fn compare_url(self, request: &Request<'_>) -> String {
        match self {
            Self::GitHub => github::compare_url(request),
            Self::GitLab => gitlab::compare_url(request),
        }
    }
}

/// Finds the address of a new request in what the program printed, with its number.
pub fn created(printed: &str) -> Option<(String, u64)> {
    let words = printed.split_whitespace().rev();
    let mut urls = words.filter(|word| word.starts_with("https://") || word.starts_with("http://"));
    urls.find_map(|url| {
        let number = url.trim_end_matches('/').rsplit('/').next()?.parse().ok()?;
        Some((url.to_owned(), number))
    })
}

/// Returns a branch as it stands in an address.
fn encoded(branch: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    branch.bytes().map(encode).collect()
}
