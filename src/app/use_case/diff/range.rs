//! Which two moments are compared, and where the plan is within the repository.

use std::path::{Path, PathBuf};

use crate::{
    app::{error::AppError, view::diff::End},
    io::{
        git::revision::{Revision, RevisionError, Revisions},
        store::{Store, StoreError},
    },
};

/// What a revision is called that was left out on one side of the dots.
const HEAD: &str = "HEAD";

/// A repository, and where in it the plan may be.
pub(super) struct Place {
    pub(super) revisions: Revisions,
    /// Folders within the repository, the likeliest first; each may hold the plan.
    candidates: Vec<String>,
    /// Whether the first of them is known to hold it.
    is_sure: bool,
    /// Whether somebody named it.
    is_named: bool,
    from: PathBuf,
}

impl Place {
    /// Finds the repository around `from`: that of the plan on disk, where there is one.
    pub(super) fn find(from: &Path, folder: Option<&str>) -> Result<Self, AppError> {
        let from = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        let place = |revisions, candidates, is_sure| Self {
            revisions,
            candidates,
            is_sure,
            is_named: folder.is_some(),
            from: from.clone(),
        };
        if let Some(folder) = folder {
            let folder = folder.trim_matches('/').trim_start_matches("./");
            let folder = if folder == "." { "" } else { folder };
            return Ok(place(Revisions::open(&from)?, vec![folder.to_owned()], false));
        }
        let around = match Revisions::open(&from) {
            // A plan that lies around a bare repository is not in it.
            Ok(revisions) if revisions.checkout().is_none() => {
                return Ok(place(revisions, vec![String::new()], false));
            }
            around => around,
        };
        match Store::discover(&from) {
            Ok(store) => {
                let revisions = Revisions::open(store.root())?;
                let folder = within(&revisions, store.root())?;
                Ok(place(revisions, vec![folder], true))
            }
            // It may have been there once.
            Err(StoreError::NoStore { .. }) => {
                let revisions = around?;
                let folder = within(&revisions, &from)?;
                let above = Path::new(&folder).ancestors().filter_map(Path::to_str);
                let candidates = above.map(str::to_owned).collect();
                Ok(place(revisions, candidates, false))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the folder that holds the plan.
    pub(super) fn folder(&self, ends: &Ends) -> Result<String, AppError> {
        for folder in &self.candidates {
            let is_there = |revision: &Revision| self.revisions.plan_id(revision, folder);
            let is_at_end = match &ends.to {
                Some(to) => is_there(to)?.is_some(),
                None => self.root(folder).join(crate::io::store::FOLDER).is_dir(),
            };
            if self.is_sure || is_at_end || is_there(&ends.from)?.is_some() {
                return Ok(folder.clone());
            }
        }
        if self.is_named {
            let folder = self.candidates.first().map_or("", String::as_str);
            return Err(AppError::usage(
                format!("there is no .orch folder in `{folder}` at either end"),
                "`--plan DIR` names a folder from the top of the repository on",
            ));
        }
        if self.revisions.checkout().is_none() {
            return Err(AppError::usage(
                "there is no .orch folder at the top of this bare repository",
                "where it is further down, name the folder that holds it: `--plan DIR`",
            ));
        }
        Err(StoreError::NoStore { from: self.from.clone() }.into())
    }

    /// Returns where the plan is on disk; for a bare repository, where it would be.
    pub(super) fn root(&self, folder: &str) -> PathBuf {
        self.revisions.checkout().unwrap_or_else(|| self.revisions.git_dir()).join(folder)
    }
}

/// Returns where `path` is within the checkout, with `/`.
fn within(revisions: &Revisions, path: &Path) -> Result<String, AppError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let top = revisions.checkout().map(real).unwrap_or_default();
    let folder = real(path).strip_prefix(top).ok().and_then(Path::to_str).map(str::to_owned);
    folder.ok_or_else(|| RevisionError::NoRepository { path: path.to_owned() }.into())
}

/// Two moments.
pub(super) struct Ends {
    pub(super) from: Revision,
    /// Whether `from` is where it went apart from what it is called.
    is_merge_base: bool,
    /// `None` for what is on disk.
    pub(super) to: Option<Revision>,
}

impl Ends {
    /// Finds what `range` means, as git does.
    pub(super) fn find(place: &Place, range: Option<&str>) -> Result<Self, AppError> {
        let revisions = &place.revisions;
        let find = |name: &str| revisions.find(if name.is_empty() { HEAD } else { name });
        let now = || match revisions.checkout() {
            Some(_) => Ok(None),
            None => find(HEAD).map(Some),
        };
        let ends = |from, to| Self { from, is_merge_base: false, to };
        let Some(range) = range else {
            let from = revisions.branch_base()?;
            return Ok(Self { is_merge_base: true, ..ends(from, now()?) });
        };
        if let Some((one, other)) = range.split_once("...") {
            let (one, other) = (find(one)?, find(other)?);
            let from = revisions.merge_base(&one, &other)?;
            return Ok(Self { is_merge_base: true, ..ends(from, Some(other)) });
        }
        match range.split_once("..") {
            Some((from, to)) => Ok(ends(find(from)?, Some(find(to)?))),
            None => Ok(ends(find(range)?, now()?)),
        }
    }

    /// Finds where `head` went apart from `base`; each is a name that git knows, with what it is
    /// called.
    pub(super) fn since(
        place: &Place,
        base: (&str, &str),
        head: (&str, &str),
    ) -> Result<Self, AppError> {
        let find = |(name, shown): (&str, &str)| -> Result<Revision, AppError> {
            let mut found = place.revisions.find(name)?;
            shown.clone_into(&mut found.name);
            Ok(found)
        };
        let (base, head) = (find(base)?, find(head)?);
        let from = place.revisions.merge_base(&base, &head)?;
        Ok(Self { from, is_merge_base: true, to: Some(head) })
    }

    /// Returns both ends as they are shown.
    pub(super) fn told(&self) -> (End, End) {
        let end = |revision: &Revision, is_merge_base| End {
            kind: if revision.commit.is_some() { "commit" } else { "tree" },
            name: revision.name.clone(),
            commit: revision.commit.clone(),
            is_merge_base,
        };
        let on_disk = || End {
            kind: "working-tree",
            name: "working tree".to_owned(),
            commit: None,
            is_merge_base: false,
        };
        let to = self.to.as_ref().map_or_else(on_disk, |to| end(to, false));
        (end(&self.from, self.is_merge_base), to)
    }
}
