//! Headers: `Name: value` lines in stanzas parted by empty lines, a line that begins with white space going on with
//! the one before. dpkg's control files (deb822(5)) and Python's metadata (RFC 822) are written so.

/// One stanza, with the first lines of the fields that were asked for.
pub(crate) struct Stanza<const N: usize> {
    /// Line on which it begins, from 1.
    pub line: usize,
    /// Values without the white space around them, in the order in which they were asked for. The first counts when
    /// a field stands twice.
    pub values: [Option<String>; N],
    /// The first line that is no header at all.
    pub bad_line: Option<usize>,
}

/// The stanzas of a file. Text that is not UTF-8 is read with replacement characters: names and versions are ASCII,
/// maintainers' names need not be.
pub(crate) fn stanzas<'a, const N: usize>(
    bytes: &'a [u8],
    names: &'static [&'static str; N],
) -> impl Iterator<Item = Stanza<N>> + 'a {
    let mut lines = lines(bytes).enumerate();
    std::iter::from_fn(move || {
        let mut stanza: Option<Stanza<N>> = None;
        for (number, line) in lines.by_ref() {
            if line.iter().all(u8::is_ascii_whitespace) {
                if stanza.is_some() {
                    break;
                }
                continue;
            }
            let stanza =
                stanza.get_or_insert_with(|| Stanza { line: number + 1, values: [const { None }; N], bad_line: None });
            if matches!(line.first(), Some(b' ' | b'\t')) {
                continue; // no field that we ask for goes over more than one line
            }
            match line.iter().position(|&byte| byte == b':') {
                None => {
                    stanza.bad_line.get_or_insert(number + 1);
                }
                Some(colon) => {
                    let wanted = names.iter().position(|name| line[..colon].eq_ignore_ascii_case(name.as_bytes()));
                    if let Some(index) = wanted {
                        let value = String::from_utf8_lossy(&line[colon + 1..]).trim().to_owned();
                        stanza.values[index].get_or_insert(value);
                    }
                }
            }
        }
        stanza
    })
}

/// Lines without their ends, `\n` or `\r\n`; a byte order mark in front of the first is left out.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
