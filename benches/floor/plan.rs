//! Generated plans: the same graph and the same bytes every time.

use std::{fs, path::PathBuf};

use super::Failure;

/// Size of the front matter with its fences.
const FRONT_MATTER_BYTES: usize = 245;

/// Size of a whole task file.
const FILE_BYTES: usize = 1_500;

/// Task files in one folder.
const FOLDER_FILES: usize = 1_000;

/// Tasks in one layer of a layered plan.
const LAYER: usize = 50;

/// How the tasks of a plan depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Not at all.
    Wide,
    /// Each on two or three of the layer above.
    Layered,
    /// Each on the one before.
    Chain,
}

impl Shape {
    /// All shapes with their names.
    pub(crate) const NAMED: [(&'static str, Self); 3] =
        [("wide", Self::Wide), ("layered", Self::Layered), ("chain", Self::Chain)];

    /// Returns the name.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, shape)| *shape == self).map_or("", |(name, _)| name)
    }

    /// Returns the tasks that task `at` depends on, all of them below `at`.
    pub(crate) fn dependencies(self, at: usize) -> Vec<usize> {
        match self {
            Self::Chain => at.checked_sub(1).into_iter().collect(),
            Self::Layered if at >= LAYER => {
                let above = (at / LAYER - 1) * LAYER;
                let mut picks = vec![at % LAYER, (at * 7 + 3) % LAYER, (at * 13 + 5) % LAYER];
                picks.truncate(2 + at % 2);
                picks.sort_unstable();
                picks.dedup();
                picks.iter().map(|pick| above + pick).collect()
            }
            Self::Wide | Self::Layered => Vec::new(),
        }
    }
}

/// A plan on disk.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The folder that holds `.orch`.
    pub(crate) root: PathBuf,
    /// How many tasks it has.
    pub(crate) n_tasks: usize,
    /// How they depend on each other.
    pub(crate) shape: Shape,
    /// How many times its records were put aside.
    n_aside: usize,
}

impl Plan {
    /// Writes a plan below `root`, which may exist.
    pub(crate) fn write(root: PathBuf, n_tasks: usize, shape: Shape) -> Result<Self, Failure> {
        let tasks = root.join(".orch/tasks");
        for at in 0..n_tasks {
            let folder = tasks.join(format!("part-{:03}", at / FOLDER_FILES));
            if at % FOLDER_FILES == 0 {
                fs::create_dir_all(&folder)?;
            }
            fs::write(folder.join(format!("{}.md", id(at))), task_file(at, shape))?;
        }
        Ok(Self { root, n_tasks, shape, n_aside: 0 })
    }

    /// Moves all that a run or a cache left out of the way.
    ///
    /// Nothing is deleted between two measurements: file systems slow down for a while after that.
    pub(crate) fn put_aside(&mut self) -> Result<(), Failure> {
        self.n_aside += 1;
        let aside = self.root.join(format!("aside/{}", self.n_aside));
        fs::create_dir_all(&aside)?;
        for name in ["local", "runs", "status"] {
            let from = self.root.join(".orch").join(name);
            if from.exists() {
                fs::rename(from, aside.join(name))?;
            }
        }
        Ok(())
    }
}

/// Returns the id of a task.
pub(crate) fn id(at: usize) -> String {
    format!("T-{at:06}")
}

fn task_file(at: usize, shape: Shape) -> String {
    let needs: Vec<String> = shape.dependencies(at).into_iter().map(id).collect();
    let head = format!("---\nid: {}\ntitle: Part {at} of the generated plan", id(at));
    let tail = format!(
        "\ndepends_on: [{}]\npriority: {}\nestimate: {}h\nmilestone: beta\ntags: [bench, made]\nstatus: todo\n---\n",
        needs.join(", "),
        ["high", "medium", "low"].get(at % 3).unwrap_or(&"medium"),
        1 + at % 7,
    );
    let mut text = head;
    pad(&mut text, FRONT_MATTER_BYTES.saturating_sub(tail.len()), " and of its words");
    text.push_str(&tail);
    text.push_str("# The work\n\nWhat the worker is told stands here, in a few plain sentences.\n");
    text.push_str("\n## Acceptance criteria\n- [ ] it builds\n- [ ] it is tested\n\n## Notes\n");
    pad(&mut text, FILE_BYTES - 1, "One more sentence of the size that people write.\n");
    text.push('\n');
    text
}

/// Adds `words` until `text` has exactly `length` bytes; longer text is left as it is.
fn pad(text: &mut String, length: usize, words: &str) {
    let missing = length.saturating_sub(text.len());
    text.extend(words.chars().cycle().take(missing));
}
