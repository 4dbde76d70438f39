//! What the program does, told on standard error line by line: foreign text in it makes no line of its
//! own, and moves no cursor.

use std::io;

use crate::ui::output::escape;

/// Writes what the program does to standard error: `-v` its steps, `-vv` everything.
pub(super) fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| Lines(io::stderr()))
        .without_time()
        .init();
}

/// Takes whole lines, each with one call.
struct Lines<W>(W);

impl<W: io::Write> io::Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", escape::clean_line(line)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn foreign_text_makes_no_line_and_no_escape() {
        let mut told = Lines(Vec::new());
        let name = "x\n ERROR orch: forged\r\u{1b}[2J\u{202e}";
        // As the subscriber does: a line with one call.
        let line = format!(" WARN orch: a file stays name={name}\n");
        told.write_all(line.as_bytes()).unwrap();
        let text = String::from_utf8(told.0).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
        assert_eq!(lines.len(), 1, "{text:?}");
    }
}
