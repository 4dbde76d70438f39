//! Every fixed limit of the program, in one place, each with its reason.

use std::time::Duration;

/// Longest task id: it is a file name, a branch name and a column on the screen.
pub const TASK_ID_LENGTH_MAX: usize = 64;

/// Largest front matter that is parsed. YAML parsers of the libyaml family need time that grows
/// with the square of the nesting; 64 KiB holds any front matter that a person writes.
pub const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;

/// How much of a body is looked into: a parser of markdown takes a hundred bytes and more for each
/// byte of some texts. It is a book of 100 pages; whoever works on the task gets all of it.
pub const MARKDOWN_BYTES_MAX: usize = 256 * 1024;

/// Deepest nesting of YAML collections that is parsed.
pub const YAML_DEPTH_MAX: usize = 32;

/// Most YAML aliases in one document: more is a bomb, not a file.
pub const YAML_ALIASES_MAX: usize = 64;

/// How long the program of a host may take for one answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Largest file that is read at all, body included.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Deepest folder below `.orch/tasks` that is visited.
pub const FOLDER_DEPTH_MAX: usize = 64;

/// Most files of one kind that are looked at, tasks for example: they would take the memory of the
/// machine, and a plan that people made has far fewer.
pub const FILES_MAX: usize = 250_000;

/// Most files and folders of one revision that are listed: a tree of git may name itself over and
/// over without taking any room.
pub const TREE_ENTRIES_MAX: usize = 1_000_000;

/// How much of the end of a failed command's output goes into the record and the next prompt.
pub const FAILURE_TAIL_BYTES: usize = 4 * 1024;

/// Most workers that `max_workers` may ask for.
pub const WORKERS_MAX: u32 = 1024;

/// Workers side by side where nothing is configured.
pub const WORKERS_DEFAULT: u32 = 4;

/// Attempts per task where nothing is configured.
pub const ATTEMPTS_DEFAULT: u32 = 2;

/// Most attempts that `retry.max_attempts` may ask for.
pub const ATTEMPTS_MAX: u32 = 1000;

/// First wait before a retry where nothing is configured; doubled for each further attempt.
pub const BACKOFF_DEFAULT: Duration = Duration::from_secs(5);

/// Crashes per task where nothing is configured.
pub const CRASHES_DEFAULT: u32 = 3;

/// Iterations of a loop where nothing is configured.
pub const ITERATIONS_DEFAULT: u32 = 20;

/// Shortest time between two signs of life: status files are looked at once a second.
pub const HEARTBEAT_MIN: Duration = Duration::from_secs(1);

/// A silent worker is stopped after so many heartbeats where nothing is configured.
pub const HEARTBEAT_LIMIT_FACTOR: u32 = 3;

/// Crashes that open the circuit breaker where nothing is configured.
pub const BREAKER_CRASHES_DEFAULT: u32 = 5;

/// Time within which these crashes must come where nothing is configured.
pub const BREAKER_WITHIN_DEFAULT: Duration = Duration::from_secs(60);

/// How long an open circuit breaker holds all starts where nothing is configured.
pub const BREAKER_PAUSE_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// First wait for a provider that does not say when its limit is lifted; doubled each time, up to
/// [`BACKOFF_MAX`].
pub const LIMIT_WAIT_FIRST: Duration = Duration::from_secs(60);

/// Longest wait for a provider, whatever it says: limits by the week are the longest there are.
pub const LIMIT_WAIT_MAX: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Longest wait between two attempts.
pub const BACKOFF_MAX: Duration = Duration::from_secs(60 * 60);

/// Time between the polite stop of a worker and its kill, where nothing is configured.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(10);

/// How long a verify or gate command may take where nothing is configured.
pub const CHECK_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30 * 60);

/// How long a hook may take where nothing is configured.
pub const HOOK_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Time between the polite stop of a hook and its kill.
pub const HOOK_GRACE: Duration = Duration::from_secs(2);

/// Most hooks that wait for their turn; more are dropped, and that is told.
pub const HOOKS_WAITING_MAX: usize = 10_000;

/// How long the end of a run waits for hooks that have not run yet.
pub const HOOKS_END_PATIENCE: Duration = Duration::from_secs(10);

/// The same where the run was left: whoever leaves it does not want to wait.
pub const HOOKS_LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// How much of the output of hooks is kept.
pub const HOOK_LOG_BYTES_MAX: u64 = 1024 * 1024;

/// Longest value that a hook gets in a variable: a line of a message, not a text.
pub const HOOK_VALUE_CHARACTERS_MAX: usize = 1000;

/// How long nothing is started where the machine is short of something, at first.
pub const SHORTAGE_WAIT_FIRST: Duration = Duration::from_secs(1);

/// How long nothing is started at most, before the next try.
pub const SHORTAGE_WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest duration that a file may ask for.
pub const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Time between two looks at all files where nothing is configured: what the system did not tell
/// of is noticed then at the latest.
pub const RESCAN_DEFAULT: Duration = Duration::from_secs(30);

/// Shortest time between two looks at all files: more would keep a processor busy.
pub const RESCAN_MIN: Duration = Duration::from_millis(100);

/// Longest time between two looks at all files.
pub const RESCAN_MAX: Duration = Duration::from_secs(60 * 60);

/// Highest level of a task.
pub const LEVEL_MAX: u32 = 10_000;

/// Largest distance of a priority from zero.
pub const PRIORITY_MAX: i64 = 1_000_000;

/// Most alternatives that `{a,b}` groups of one glob may expand to.
pub const GLOB_ALTERNATIVES_MAX: usize = 64;

/// Longest glob: no path that people write is longer.
pub const GLOB_CHARACTERS_MAX: usize = 512;

/// Most characters that all alternatives of one glob may have together: comparing two globs takes
/// time that grows with the product of both.
pub const GLOB_EXPANDED_MAX: usize = 2048;

/// Most faults of one kind that get a "did you mean": more are not slips.
pub const SUGGESTIONS_MAX: usize = 200;

/// Most words that are compared for the "did you mean" of one kind of fault: about 20 ms.
pub const SUGGESTION_COMPARISONS_MAX: usize = 200_000;

/// Most cycles that are told of one group of tasks that all wait for each other.
pub const KNOT_CYCLES_MAX: usize = 16;

/// Most tasks of a chain or list that a message names.
pub const NAMED_TASKS_MAX: usize = 8;

/// Most edges of one cycle that are shown with their places, beside the first.
pub const CYCLE_EDGES_MAX: usize = 16;

/// Most bytes of one log where nothing is configured.
pub const LOG_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;

/// Smallest room for a log: it is used in halves, and a half must hold what is read at a time.
pub const LOG_BYTES_MIN: u64 = 256 * 1024;

/// Most pairs that `orch conflicts` tells of: more is a plan, not a list.
pub const CONFLICTS_MAX: usize = 1000;

/// Worktrees of tasks that did not end well which `orch clean` leaves where nothing is configured:
/// more than a person looks at.
pub const KEPT_WORKTREES_DEFAULT: u64 = 20;

/// Largest room for a log: more is a slip.
pub const LOG_BYTES_MAX: u64 = 1024 * 1024 * 1024 * 1024;

/// Longest line of an agent's output that is looked into: events with figures are far shorter,
/// longer ones carry whole files.
pub const AGENT_LINE_BYTES_MAX: usize = 1024 * 1024;

/// Most characters of what an agent said of a limit that are kept.
pub const LIMIT_WORDS_MAX: usize = 200;

/// Largest amount of US dollars that is believed: more is no price, and sums must stay numbers.
pub const MONEY_MAX: f64 = 1e9;

/// Most bytes of approvals of one plan that are read; at half of it, old ones are dropped.
pub const APPROVALS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long a worker may be gone without its supervisor telling so.
pub const ABSENCE_MAX: Duration = Duration::from_secs(10);
