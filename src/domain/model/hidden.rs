//! Characters that cannot be seen as they are: foreign text with them could pass for other text.

/// Says whether a terminal would act on `c`, show nothing for it, or let it change the order in
/// which other text is read.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(
            c,
            // Soft hyphen, joiner of marks, Arabic letter mark.
            '\u{ad}' | '\u{34f}' | '\u{61c}'
            // Fillers and inherent vowels, which take no place or an empty one.
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            | '\u{180b}'..='\u{180f}'
            // Zero width space; direction marks, embeddings, overrides, isolates; separators of
            // lines and paragraphs; invisible operators.
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Variants of what stands before, but for the two that choose text or emoji.
            | '\u{fe00}'..='\u{fe0d}'
            // Byte order mark, annotations, notation of music and shorthand.
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            // Tags and further variants, which can carry hidden text.
            | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Says whether `c` is one of the two invisible characters that join or part letters and emojis:
/// in some scripts they are part of a word.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}
