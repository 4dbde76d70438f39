//! Workers that stand still although nobody told them to: stopped, held by a debugger, or not to be
//! ended by any signal. They keep their slots, as they may go on at any moment; people are told.

use std::time::Duration;

use super::model::time::Tick;

/// What the system says a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs, or waits for something that a signal interrupts.
    Running,
    /// It waits inside of the system, where no signal reaches it: mostly for a disk or a network
    /// file system.
    Uninterruptible,
    /// Somebody stopped it (`SIGSTOP`, or Ctrl-Z).
    Stopped,
    /// A debugger holds it.
    Traced,
    /// It ended, and nobody waited for it yet.
    Ended,
}

/// How a worker stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standstill {
    /// Somebody stopped it.
    Stopped,
    /// A debugger holds it.
    Traced,
    /// No signal ends it.
    Unkillable,
}

/// How long a process may wait inside of the system: this is normal for moments.
const UNINTERRUPTIBLE_MAX: Duration = Duration::from_secs(10);

/// How long a process may be there after it was killed.
const DEATH_MAX: Duration = Duration::from_secs(5);

/// How long a process is stopped or held before it is told: debuggers and shells do so for moments.
const HELD_MIN: Duration = Duration::from_millis(500);

impl Standstill {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Traced => "traced",
            Self::Unkillable => "unkillable",
        }
    }

    /// Returns what one look tells: of a process that waits inside of the system, nothing.
    pub fn at_a_glance(state: ProcessState) -> Option<Self> {
        match state {
            ProcessState::Stopped => Some(Self::Stopped),
            ProcessState::Traced => Some(Self::Traced),
            ProcessState::Running | ProcessState::Uninterruptible | ProcessState::Ended => None,
        }
    }
}

/// What was seen of one process, look by look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looks {
    /// What it is doing, and since when.
    state: Option<(ProcessState, Tick)>,
    killed: Option<Tick>,
    standstill: Option<Standstill>,
}

impl Looks {
    /// Notes that it was killed at `now`; the first time counts.
    pub fn note_kill(&mut self, now: Tick) {
        self.killed.get_or_insert(now);
    }

    /// Returns how it stands still.
    pub fn standstill(&self) -> Option<Standstill> {
        self.standstill
    }

    /// Takes in what it is doing at `now`; says whether that makes a difference for how it stands
    /// still.
    pub fn look(&mut self, state: ProcessState, now: Tick) -> bool {
        let since = match self.state {
            Some((before, since)) if before == state => since,
            _ => now,
        };
        self.state = Some((state, since));
        let standstill = self.judge(state, since, now);
        std::mem::replace(&mut self.standstill, standstill) != standstill
    }

    fn judge(&self, state: ProcessState, since: Tick, now: Tick) -> Option<Standstill> {
        if state == ProcessState::Ended {
            return None;
        }
        if self.killed.is_some_and(|killed| now >= killed.plus(DEATH_MAX)) {
            return Some(Standstill::Unkillable);
        }
        let lasts = |time| now >= since.plus(time);
        if state == ProcessState::Uninterruptible && lasts(UNINTERRUPTIBLE_MAX) {
            return Some(Standstill::Unkillable);
        }
        Standstill::at_a_glance(state).filter(|_| lasts(HELD_MIN))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Looks at a process every second; `RrDSTZ` are its states, `k` kills it before the next look.
    fn told(looks: &str) -> String {
        let mut process = Looks::default();
        let mut told = String::new();
        let mut second = 0;
        for letter in looks.chars() {
            let now = Tick(Duration::from_secs(second));
            let state = match letter {
                'R' => ProcessState::Running,
                'D' => ProcessState::Uninterruptible,
                'S' => ProcessState::Stopped,
                'T' => ProcessState::Traced,
                'Z' => ProcessState::Ended,
                'k' => {
                    process.note_kill(now);
                    continue;
                }
                other => panic!("{other} is no state"),
            };
            if process.look(state, now) {
                let word = process.standstill().map_or("goes on", Standstill::as_str);
                write!(told, "{second}: {word}; ").unwrap();
            }
            second += 1;
        }
        told
    }

    #[test]
    fn it_is_told_once_how_a_process_stands_still() {
        let table = [
            ("RRRRRRRRRRRRRRRR", ""),
            ("SRSRSR", ""),
            ("SSSSS", "1: stopped; "),
            ("SSSRRSS", "1: stopped; 3: goes on; 6: stopped; "),
            ("TTSS", "1: traced; 2: goes on; 3: stopped; "),
            ("DDDDDDDDDD", ""),
            ("DDDDDRDDDDD", ""),
            ("DDDDDDDDDDDDDD", "10: unkillable; "),
            ("DDDDDDDDDDDR", "10: unkillable; 11: goes on; "),
            ("RkRRRR", ""),
            ("RkRRRRRR", "6: unkillable; "),
            ("RkDDkDDDD", "6: unkillable; "),
            ("SSkSSSSSS", "1: stopped; 7: unkillable; "),
            ("RkDDDDDDZ", "6: unkillable; 7: goes on; "),
            ("ZZZZZZZZZ", ""),
        ];
        for (looks, expected) in table {
            assert_eq!(told(looks), expected, "{looks}");
        }
    }
}
