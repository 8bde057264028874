//! References to variables in texts: `$(NAME)`.

/// Replaces `$(NAME)` by what `lookup` answers; `$$` becomes `$`, and a reference without an answer stays as it is.
///
/// A name is everything up to the first closing parenthesis; without one the text is taken as it stands.
pub(crate) fn expand<'a>(text: &str, mut lookup: impl FnMut(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|open| open.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(value),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let lookup = |name: &str| match name {
            "A" => Some("1"),
            "a b" => Some("blank"),
            "" => Some("nobody"),
            _ => None,
        };
        for (text, wanted) in [
            ("$(A)-$(B)-$$(A)-$", "1-$(B)-$(A)-$"),
            ("$$$(A)$$$$", "$1$$"),
            ("$(a b)$()", "blanknobody"),
            ("$(A", "$(A"),
            ("$(A$(A))", "$(A$(A))"),
            ("$x $", "$x $"),
            ("", ""),
        ] {
            assert_eq!(expand(text, lookup), wanted, "{text}");
        }
    }
}
