//! All that the view knows: what it was told, and where the person is.

use std::collections::{BTreeMap, VecDeque};

use super::{
    ask::Question,
    list::List,
    pager::{Pager, wrapped},
    words,
};
use crate::{
    app::view::{
        board::Row,
        run::{Live, LiveWorker},
    },
    ui::output::run::Tone,
};

/// Lines about what happened that are kept.
const TOLD_MAX: usize = 200;

/// What the view is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It belongs to the run that carries the plan out.
    Run,
    /// It only looks.
    Look,
}

/// What fills the middle of the screen.
#[derive(Debug)]
pub(super) enum Page {
    /// The tasks, and what happened.
    Tasks,
    /// One task.
    Task(Box<TaskPage>),
    /// What is wrong with the files.
    Faults(Pager),
    /// What happened, as far back as it is kept.
    History(Pager),
    /// The keys.
    Help(Pager),
}

/// One task, opened.
#[derive(Debug)]
pub(super) struct TaskPage {
    pub(super) id: String,
    /// The task when it was last read: where it differs now, it is read again.
    pub(super) row: Option<Row>,
    pub(super) tab: Tab,
    pub(super) details: Pager,
    pub(super) log: Pager,
}

/// What is shown of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Details,
    Log,
}

/// Everything that the view knows.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) purpose: Purpose,
    pub(super) live: Live,
    /// What runs, by task.
    pub(super) workers: BTreeMap<String, LiveWorker>,
    pub(super) list: List,
    pub(super) page: Page,
    pub(super) question: Option<Question>,
    /// What became of the last thing that was asked for.
    pub(super) answer: Option<(Tone, String)>,
    /// Whether the filter is being typed.
    pub(super) is_typing: bool,
    /// What happened, oldest first: time, tone, text.
    pub(super) told: VecDeque<(String, Tone, String)>,
    pub(super) n_interrupts: u32,
    pub(super) size: (usize, usize),
    pub(super) has_ended: bool,
}

/// How many lines each part of the screen takes, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: usize,
    /// The plan, and how it is carried out.
    pub(super) head: usize,
    /// The list, or the page over it.
    pub(super) list: usize,
    /// What happened, with the line above it.
    pub(super) told: usize,
    /// Questions, answers and key hints.
    pub(super) foot: usize,
}

impl Model {
    pub(super) fn new(purpose: Purpose, size: (u16, u16)) -> Self {
        let mut model = Self {
            purpose,
            live: Live::default(),
            workers: BTreeMap::new(),
            list: List::default(),
            page: Page::Tasks,
            question: None,
            answer: None,
            is_typing: false,
            told: VecDeque::new(),
            n_interrupts: 0,
            size: (usize::from(size.0), usize::from(size.1)),
            has_ended: false,
        };
        model.arrange();
        model
    }

    /// Returns how the screen is divided up.
    pub(super) fn layout(&self) -> Layout {
        let (width, height) = self.size;
        let head = 2.min(height);
        let foot = self.foot().len().min(height - head);
        let told = match (&self.page, height) {
            (Page::Tasks, 30..) => 9,
            (Page::Tasks, 20..) => 6,
            (Page::Tasks, 14..) => 4,
            (Page::Tasks, 8..) => 2,
            _ => 0,
        };
        let told = told.min((height - head - foot).saturating_sub(3));
        Layout { width, head, list: height - head - foot - told, told, foot }
    }

    /// Returns columns and lines of a page: all but its heading.
    pub(super) fn page_size(&self) -> (usize, usize) {
        let layout = self.layout();
        (layout.width, (layout.list + layout.told).saturating_sub(1))
    }

    /// Gives every part the room that it has now.
    pub(super) fn arrange(&mut self) {
        let (list_height, size) = (self.layout().list, self.page_size());
        match &mut self.page {
            Page::Tasks => self.list.resize(list_height),
            Page::Task(task) => {
                task.details.resize(size);
                task.log.resize(size);
            }
            Page::Faults(pager) | Page::History(pager) | Page::Help(pager) => pager.resize(size),
        }
    }

    /// Returns the lines at the bottom: a question, else an answer, and what keys do.
    pub(super) fn foot(&self) -> Vec<(Tone, String)> {
        let (width, height) = self.size;
        // A question may take much of a small screen, but never all of it.
        let most = height.saturating_sub(4).max(1);
        let fold = |tone: Tone, text: &str| {
            text.split('\n')
                .flat_map(|line| wrapped(line, width.max(1)))
                .map(|line| (tone, line))
                .collect::<Vec<_>>()
        };
        if let Some(question) = &self.question {
            let text = question.lines().join("\n");
            return fold(Tone::Uneasy, &text).into_iter().take(most).collect();
        }
        let mut lines = match &self.answer {
            Some((tone, text)) => fold(*tone, text),
            None => Vec::new(),
        };
        lines.truncate(most.saturating_sub(1));
        lines.push((Tone::Neutral, words::hints(self)));
        lines
    }

    /// Keeps what happened.
    pub(super) fn tell(&mut self, at: &str, tone: Tone, text: String) {
        self.told.push_back((at.to_owned(), tone, text));
        if self.told.len() > TOLD_MAX {
            self.told.pop_front();
        }
    }

    /// Returns the task that keys speak of: the one that is open, else the one under the cursor.
    pub(super) fn subject(&self) -> Option<&Row> {
        match &self.page {
            Page::Task(task) => self.list.find(&task.id),
            Page::Tasks => self.list.chosen(),
            Page::Faults(_) | Page::History(_) | Page::Help(_) => None,
        }
    }
}
