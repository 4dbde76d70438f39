//! The same graph for the tools that people would compare with: Ninja and make.

use std::{env, fmt::Write as _, fs, path::PathBuf, process::Command};

use crate::{
    floor::{
        Failure,
        plan::{Plan, id},
    },
    spawn,
};

/// A tool that runs a graph of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Starts each command by a shell; the command is one that the shell has built in.
    Ninja,
    /// Starts a plain command without a shell.
    Make,
}

impl Peer {
    /// All peers.
    pub(crate) const ALL: [Self; 2] = [Self::Ninja, Self::Make];

    /// Returns the name of the program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ninja => "ninja",
            Self::Make => "make",
        }
    }

    /// Says whether it is installed.
    pub(crate) fn is_installed(self) -> bool {
        let Some(path) = env::var_os("PATH") else { return false };
        env::split_paths(&path).any(|folder| folder.join(self.name()).is_file())
    }

    /// Writes the file that it reads.
    pub(crate) fn write(self, plan: &Plan) -> Result<(), Failure> {
        let (name, text) = match self {
            Self::Ninja => ("build.ninja", ninja_file(plan)?),
            Self::Make => ("Makefile", makefile(plan)?),
        };
        Ok(fs::write(plan.root.join(name), text)?)
    }

    /// Returns the command that runs the whole graph.
    pub(crate) fn command(self, plan: &Plan, n_slots: usize) -> Command {
        let mut command = Command::new(self.name());
        command.arg("-j").arg(n_slots.to_string()).current_dir(&plan.root);
        command
    }
}

fn ninja_file(plan: &Plan) -> Result<String, Failure> {
    let mut text = "rule noop\n  command = true\n".to_owned();
    for at in 0..plan.n_tasks {
        let needs = needs(plan, at);
        let bar = if needs.is_empty() { "" } else { " |" };
        writeln!(text, "build {}: noop{bar}{needs}", id(at))?;
    }
    Ok(text)
}

fn makefile(plan: &Plan) -> Result<String, Failure> {
    let program: PathBuf = spawn::nothing();
    let all: String = (0..plan.n_tasks).map(id).map(|id| format!(" {id}")).collect();
    let mut text = format!(".PHONY: all{all}\nall:{all}\n");
    for at in 0..plan.n_tasks {
        writeln!(text, "{}:{}\n\t@{}", id(at), needs(plan, at), program.display())?;
    }
    Ok(text)
}

fn needs(plan: &Plan, at: usize) -> String {
    plan.shape.dependencies(at).into_iter().map(|need| format!(" {}", id(need))).collect()
}
