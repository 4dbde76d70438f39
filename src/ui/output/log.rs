//! What a worker printed, made safe to show piece by piece.

use super::escape::clean;

/// Turns bytes of a log into text, one piece after the other; a character that is cut in two
/// waits for its other half, and so does a carriage return for its line feed.
#[derive(Debug, Default)]
pub struct LogText {
    held: Vec<u8>,
}

impl LogText {
    /// Takes the next bytes in and returns the text that is complete.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let n_kept = n_incomplete(&self.held);
        let rest = self.held.split_off(self.held.len() - n_kept);
        shown(&std::mem::replace(&mut self.held, rest))
    }

    /// Returns what is left.
    pub fn finish(&mut self) -> String {
        shown(&std::mem::take(&mut self.held))
    }
}

fn shown(bytes: &[u8]) -> String {
    clean(&String::from_utf8_lossy(bytes).replace("\r\n", "\n")).into_owned()
}

/// Returns how many bytes at the end belong to something that is not complete.
fn n_incomplete(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r") {
        return 1;
    }
    let n_tail = bytes.len().min(3);
    (1..=n_tail)
        .find(|n| {
            let tail = bytes.get(bytes.len() - n..).unwrap_or_default();
            let cut = str::from_utf8(tail).err();
            cut.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_the_same_text_as_the_whole() {
        let bytes = "grüße 漢字\r\n\x1b[1mx\ry\t👩\n".as_bytes();
        let expected = "grüße 漢字\n\\x1b[1mx\\ry\t👩\n";
        for size in 1..bytes.len() {
            let mut log = LogText::default();
            let mut text: String = bytes.chunks(size).map(|piece| log.push(piece)).collect();
            text.push_str(&log.finish());
            assert_eq!(text, expected, "pieces of {size}");
        }
        let mut log = LogText::default();
        assert_eq!(log.push(b"a\xff\xe2b\xe2\x82"), "a\u{fffd}\u{fffd}b");
        assert_eq!(log.finish(), "\u{fffd}");
    }
}
