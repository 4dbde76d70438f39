//! Sandboxes: whether there are any here, and what one of them is to be made of.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    domain::{
        format::layout,
        model::{
            sandbox::{Base, Lack, SandboxSpec, base_of},
            task::Isolation,
        },
        plan::Plan,
        sandbox::{Bwrap, Cover, Places, argv, hidden, is_for_loader},
    },
    io::{
        git::Ground,
        process::{
            Launch,
            bwrap::{self, Real, real},
        },
        store::Store,
    },
};

/// Where a folder of devices is made for each sandbox: what lies below it is out of sight.
const DEVICES: &str = "/dev";

/// Says whether a task of `plan` is to run in a sandbox.
pub(super) fn is_wanted(plan: &Plan) -> bool {
    let said = std::iter::once(&plan.config().worker);
    let said = said.chain(plan.roles().values().map(|role| &role.worker));
    let mut said = said.chain(plan.indices().map(|task| &plan.spec(task).worker));
    let is_said = said.any(|worker| worker.isolation == Some(Isolation::Sandbox));
    (is_said || plan.config().ceiling.isolation == Some(Isolation::Sandbox))
        && plan.indices().any(|task| plan.is_sandboxed(task))
}

/// Returns why no task of `plan` that asks for a sandbox can run in one; `None` where they can, or
/// none asks for it.
pub(super) fn lack(store: &Store, plan: &Plan) -> Option<Lack> {
    is_wanted(plan).then(|| bwrap::find(store.root()).err()).flatten()
}

/// What a command is to be enclosed for.
#[derive(Debug)]
pub(super) struct Inmate<'a> {
    pub store: &'a Store,
    pub ground: &'a Ground,
    pub spec: &'a SandboxSpec,
    /// Its worktree, relative to the folder of the plan.
    pub worktree: &'a Path,
    /// Where it is started.
    pub folder: &'a Path,
    /// What it is told.
    pub prompt: &'a Path,
    /// Whether its own settings say where temporary files go.
    pub has_temporary: bool,
}

/// How commands are enclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enclosure {
    bwrap: Bwrap,
    has_network: bool,
    places: Places,
    has_temporary: bool,
}

impl Enclosure {
    /// Looks at everything that a sandbox for `inmate` is made of.
    ///
    /// # Errors
    /// Why there can be none, as a phrase.
    pub(super) fn of(bwrap: &Bwrap, inmate: &Inmate<'_>) -> Result<Self, String> {
        Ok(Self {
            bwrap: bwrap.clone(),
            has_network: inmate.spec.has_network(),
            places: places(inmate)?,
            has_temporary: inmate.has_temporary,
        })
    }

    fn enclose(&self, launch: Launch) -> Launch {
        let mut inside: Vec<(String, String)> = Vec::new();
        let mut outside: Vec<(OsString, OsString)> = Vec::new();
        for (name, value) in launch.env {
            match (name.to_str(), value.to_str()) {
                (Some(known), Some(value)) if is_for_loader(known) => {
                    inside.push((known.to_owned(), value.to_owned()));
                }
                (Some(known), None) if is_for_loader(known) => {}
                _ => outside.push((name, value)),
            }
        }
        let has_one = outside.iter().any(|(name, _)| name == "TMPDIR");
        if has_one && !self.has_temporary {
            inside.push(("TMPDIR".to_owned(), "/tmp".to_owned()));
        }
        let mut words = argv(&self.bwrap, self.has_network, &self.places, &inside);
        words.extend(launch.argv);
        Launch { argv: words, env: outside, ..launch }
    }
}

/// Returns how a command is started in its sandbox, where it has one, that would be started like this
/// outside.
pub(super) fn enclose(enclosure: Option<&Enclosure>, launch: Launch) -> Launch {
    match enclosure {
        Some(enclosure) => enclosure.enclose(launch),
        None => launch,
    }
}

fn places(inmate: &Inmate<'_>) -> Result<Places, String> {
    let text = |path: &Path| {
        real(path).map(|real| real.path).ok_or_else(|| format!("{} is not there", path.display()))
    };
    let root = text(inmate.store.root())?;
    let local = text(&inmate.store.path(layout::LOCAL_DIR))?;
    let worktree = text(&inmate.store.root().join(inmate.worktree))?;
    let expected = Path::new(&root).join(inmate.worktree);
    if Path::new(&local) != Path::new(&root).join(layout::LOCAL_DIR)
        || Path::new(&worktree) != expected
    {
        return Err(format!("{} is reached through a link", expected.display()));
    }
    let link = expected.join(".git");
    if !link.symlink_metadata().is_ok_and(|about| about.is_file()) {
        return Err(format!("{} is no file that leads to a git folder", link.display()));
    }
    let homes = bwrap::homes();
    let ground = inmate.ground;
    let own = [ground.top(), ground.git_dir(), ground.common_dir()].map(text);
    let [top, git_dir, common_dir] = own;
    let (top, git_dir, common_dir) = (top?, git_dir?, common_dir?);
    let dot_git = real(&Path::new(&top).join(".git")).map(|real| real.path);
    let plan = text(&inmate.store.path(layout::ORCH_DIR))?;
    let write = written(inmate, &homes, &root)?;
    let needed = [&root, &top, &git_dir, &common_dir, &worktree];
    let private = private();
    let mut kept: BTreeSet<String> =
        [&root, &top, &git_dir, &common_dir].into_iter().cloned().collect();
    kept.extend(homes.iter().filter_map(|home| real(home)).map(|real| real.path));
    kept.extend(on_path());
    kept.extend(hidden::KEPT.iter().filter_map(|path| as_named(Path::new(path))));
    kept.retain(|path| is_below_any(path, &private));
    let mut guarded: Vec<String> =
        [Some(plan), dot_git, Some(git_dir.clone()), Some(common_dir.clone())]
            .into_iter()
            .flatten()
            .collect();
    guarded.dedup();
    Ok(Places {
        hidden: covers(inmate, &homes, &write, &needed)?,
        kept: kept.into_iter().collect(),
        private,
        write,
        guarded,
        local,
        shown: real(inmate.prompt).map(|real| real.path).into_iter().collect(),
        link: format!("{worktree}/.git"),
        worktree,
        folder: text(inmate.folder)?,
    })
}

/// Returns the folders of which a sandbox has empty ones of its own.
fn private() -> Vec<String> {
    let folders = hidden::PRIVATE.iter().filter_map(|path| real(Path::new(path)));
    let folders: BTreeSet<String> =
        folders.filter(|real| real.is_folder).map(|real| real.path).collect();
    folders.into_iter().collect()
}

fn is_below_any(path: &str, folders: &[String]) -> bool {
    let is_below = |folder: &str| Path::new(path).starts_with(folder) && path != folder;
    is_below(DEVICES) || folders.iter().any(|folder| is_below(folder))
}

/// Returns a path that leads through no links; `None` where it does.
fn as_named(path: &Path) -> Option<String> {
    real(path).map(|real| real.path).filter(|real| Path::new(real) == path)
}

/// Returns the folders in which programs are looked for.
fn on_path() -> Vec<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter_map(|folder| as_named(&folder)).collect()
}

/// Returns what a path of a sandbox means; nothing where it is not there.
fn resolved(path: &str, homes: &[PathBuf], root: &str) -> Vec<Real> {
    let candidates = match base_of(path) {
        Ok(Base::Top(path)) => vec![PathBuf::from(path)],
        Ok(Base::Home(rest)) => homes.iter().map(|home| home.join(rest)).collect(),
        Ok(Base::Root(rest)) => vec![Path::new(root).join(rest)],
        Err(_) => Vec::new(),
    };
    candidates.iter().filter_map(|path| real(path)).collect()
}

/// Returns what may be written beside the worktree.
fn written(inmate: &Inmate<'_>, homes: &[PathBuf], root: &str) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    for path in &inmate.spec.write {
        for real in resolved(path, homes, root) {
            // What lies in the plan comes with commits: it must not lead to where it likes.
            let is_of_plan = matches!(base_of(path), Ok(Base::Root(_)));
            if is_of_plan && !Path::new(&real.path).starts_with(root) {
                return Err(format!("`{path}` leads out of the folder of the plan"));
            }
            if let Err(reason) = base_of(&real.path) {
                return Err(format!("`{path}` cannot be written: {reason}"));
            }
            found.insert(real.path);
        }
    }
    Ok(found.into_iter().collect())
}

/// Returns the folders in which stands what `orch` itself believes in.
fn believed(homes: &[PathBuf]) -> Vec<PathBuf> {
    let named = hidden::BELIEVED.iter().filter_map(|(name, _)| env::var_os(name));
    let named = named.map(PathBuf::from).filter(|folder| folder.is_absolute());
    let usual = homes
        .iter()
        .flat_map(|home| hidden::BELIEVED.iter().map(|(_, in_home)| home.join(in_home)));
    named.chain(usual).map(|folder| folder.join(hidden::OWN)).collect()
}

/// Returns what is not seen. What is built in gives way to what may be written, and to what is
/// needed; what is asked for does not.
fn covers(
    inmate: &Inmate<'_>,
    homes: &[PathBuf],
    write: &[String],
    needed: &[&String],
) -> Result<Vec<Cover>, String> {
    let covers_needed =
        |real: &Real| needed.iter().any(|path| Path::new(path.as_str()).starts_with(&real.path));
    let in_home = homes.iter().flat_map(|home| hidden::IN_HOME.iter().map(|path| home.join(path)));
    let built_in = in_home.chain(hidden::ELSEWHERE.iter().map(PathBuf::from));
    let believed = believed(homes);
    // What is not there yet must not be made by a worker.
    let is_open = |path: &&PathBuf| {
        let above = path.ancestors().find_map(real);
        real(path).is_none()
            && above
                .is_some_and(|above| write.iter().any(|w| Path::new(&above.path).starts_with(w)))
    };
    if let Some(missing) = believed.iter().find(is_open) {
        let missing = missing.display();
        return Err(format!(
            "approvals may stand in {missing}, which it could make: make it first"
        ));
    }
    let built_in = built_in.filter_map(|path| real(&path));
    let believed = believed.iter().filter_map(|path| real(path)).map(cover);
    let mut found: BTreeSet<Cover> = built_in
        .filter(|real| !write.contains(&real.path) && !covers_needed(real))
        .map(cover)
        .chain(believed)
        .collect();
    let root = inmate.store.root().to_string_lossy();
    for path in &inmate.spec.hide {
        for real in resolved(path, homes, &root) {
            if covers_needed(&real) {
                return Err(format!(
                    "`{path}` cannot be hidden: its worktree or git folder lies there"
                ));
            }
            found.insert(cover(real));
        }
    }
    Ok(found.into_iter().collect())
}

fn cover(real: Real) -> Cover {
    match real.is_folder {
        true => Cover::Folder(real.path),
        false => Cover::File(real.path),
    }
}
