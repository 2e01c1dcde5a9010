//! Writes comma-separated text (RFC 4180, lines ending in LF).

/// Gathers cells to lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// Whether a line has begun.
    within: bool,
}

impl Writer {
    /// Adds a cell; one with a comma, a quote or a line's end in it is quoted.
    pub(crate) fn cell(&mut self, cell: &str) {
        if self.within {
            self.text.push(',');
        }
        self.within = true;
        if cell.contains([',', '"', '\n', '\r']) {
            self.text.extend(["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            self.text.push_str(cell);
        }
    }

    /// Ends a line.
    pub(crate) fn end(&mut self) {
        self.text.push('\n');
        self.within = false;
    }

    /// Gives all lines.
    pub(crate) fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must() {
        let mut out = Writer::default();
        ["a", "b,c", "", "say \"x\""].iter().for_each(|cell| out.cell(cell));
        out.end();
        out.cell("1");
        out.end();
        assert_eq!(out.text(), "a,\"b,c\",,\"say \"\"x\"\"\"\n1\n");
    }
}
