//! Builds HTML in which every text is escaped and every element closed.

/// Holds a finished piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Takes text from anywhere; nothing in it can become markup.
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self(escape(text.as_ref()))
    }

    /// Takes the project's own style or script: the one way around escaping, so only for what the binary holds.
    pub(super) fn asset(content: &'static str) -> Self {
        Self(content.to_owned())
    }

    /// Takes JSON for a `script` element of type `application/json`. `<` occurs in JSON within strings
    /// alone, where its code means the same, so no `</script>` or `<!--` remains.
    pub(super) fn json(value: &serde_json::Value) -> Self {
        Self(value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
    }

    /// Gives the HTML.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Makes an element with children; names and attribute names are the program's, attribute values are escaped.
pub(super) fn element(
    name: &'static str,
    attributes: &[(&'static str, &str)],
    children: impl IntoIterator<Item = Html>,
) -> Html {
    let inner: String = children.into_iter().map(Html::into_string).collect();
    Html(format!("{}{inner}</{name}>", opening(name, attributes)))
}

/// Makes an element that holds nothing and has no end tag, such as `img`.
pub(super) fn void(name: &'static str, attributes: &[(&'static str, &str)]) -> Html {
    Html(opening(name, attributes))
}

/// Makes an element that holds one text.
pub(super) fn words(name: &'static str, class: &str, text: impl AsRef<str>) -> Html {
    let attributes = [("class", class)];
    element(name, if class.is_empty() { &[] } else { &attributes }, [Html::text(text)])
}

/// Makes a table: a row of headings, empty for none, and rows that start with a heading of their own.
pub(super) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Html {
    let head = headings.iter().map(|heading| words("th", "", heading));
    let head = (!headings.is_empty()).then(|| element("thead", &[], [element("tr", &[], head)]));
    let body = element("tbody", &[], rows.into_iter().map(row));
    element("table", &[], head.into_iter().chain([body]))
}

fn row(cells: Vec<String>) -> Html {
    let cell = |(column, text)| words(if column == 0 { "th" } else { "td" }, "", text);
    element("tr", &[], cells.into_iter().enumerate().map(cell))
}

fn opening(name: &str, attributes: &[(&str, &str)]) -> String {
    let mut tag = format!("<{name}");
    for (key, value) in attributes {
        tag.extend([" ", key, "=\"", &escape(value), "\""]);
    }
    tag + ">"
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // NUL is an error in HTML; the reader should see that something stood there.
            '\0' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(c),
        }
    }
    escaped
}
