//! What all reading commands begin with.

use super::{args::Global, terminal::Terminal};
use crate::{
    app::{error::AppError, repository::Repository, standing::Standing},
    domain::format::task_file::Reading,
    ui::output::figures::counted,
};

/// Reads the repository, and warns where its plan has errors: what can be read is shown.
///
/// # Errors
/// [`AppError::Store`] where there is no repository, or it cannot be listed.
pub(super) fn stand(
    global: &Global,
    terminal: &Terminal,
    reading: Reading,
) -> Result<Standing, AppError> {
    let standing = Standing::read(Repository::open(global.folder())?, reading)?;
    let n_errors = standing.n_errors();
    if n_errors > 0 {
        let (n, it) = (counted(n_errors, "error"), if n_errors == 1 { "it" } else { "them" });
        warn(terminal, &format!("the plan has {n}; `orch check` shows {it}"));
    }
    Ok(standing)
}

/// Warns of something that does not keep the command from being done.
pub(super) fn warn(terminal: &Terminal, words: &str) {
    let label = anstyle::AnsiColor::Yellow.on_default().bold();
    let label = terminal.err_style().paint(label, "warning");
    terminal.err_line(&format!("{label}: {words}"));
}

/// Returns the columns that lines are cut to: none where the output goes into a file or pipe.
pub(super) fn shown_width(terminal: &Terminal) -> Option<usize> {
    terminal.is_interactive().then(|| terminal.width())
}
