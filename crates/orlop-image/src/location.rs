//! Where credentials are valid: host names with wildcards, ports, paths.

/// A text that does not say where credentials are valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// It is no URL without its scheme.
    #[error("parse {location:?}: {problem}")]
    Url {
        /// The text.
        location: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A label of the host is no pattern: a bracket that is not closed.
    #[error("syntax error in pattern {pattern:?}")]
    Pattern {
        /// The label.
        pattern: String,
    },
}

/// Whether credentials for `glob` may be used at `target`.
///
/// Both are URLs without a scheme (`*.example.com:5000/team`). Ports are equal, there are as many labels in both hosts,
/// each label matches as a shell pattern, and the path of `glob` is a plain prefix: `/te` matches `/team/app`
/// (Kubernetes, `credentialprovider.URLsMatchStr`).
///
/// # Errors
/// One of the texts is no location.
pub fn location_matches(glob: &str, target: &str) -> Result<bool, LocationError> {
    let (glob, target) = (Location::parse(glob)?, Location::parse(target)?);
    glob.matches(&target)
}

/// Host with port, and path, of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    host: String,
    path: String,
}

impl Location {
    /// Reads a URL whose scheme is left out.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let wrong = |problem: String| LocationError::Url { location: format!("https://{text}"), problem };
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err(wrong("invalid control character in URL".to_owned()));
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        unescaped(fragment).map_err(wrong)?;
        let (text, _query) = text.split_once('?').unwrap_or((text, ""));
        let (authority, path) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, ""),
        };
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)) {
            return Err(wrong("invalid userinfo".to_owned()));
        }
        unescaped(user).map_err(wrong)?;
        let host = read_host(host).map_err(wrong)?;
        let path = unescaped(path).map_err(wrong)?;
        Ok(Self { host, path })
    }

    /// The same for the key of a configuration, which may have a scheme, and in which `/v1/` and `/v2/` in front of the
    /// path mean nothing.
    pub(crate) fn parse_key(text: &str) -> Result<String, LocationError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let location = Self::parse(rest)?;
        let versioned = location.path.starts_with("/v1/") || location.path.starts_with("/v2/");
        let path = if versioned { &location.path[3..] } else { &location.path };
        Ok(if path == "/" { location.host } else { location.host + path })
    }

    fn matches(&self, target: &Self) -> Result<bool, LocationError> {
        let ((host, port), (target_host, target_port)) = (split_port(&self.host), split_port(&target.host));
        let (labels, target_labels) = (host.split('.'), target_host.split('.'));
        if port != target_port
            || labels.clone().count() != target_labels.clone().count()
            || !target.path.starts_with(&self.path)
        {
            return Ok(false);
        }
        for (label, target) in labels.zip(target_labels) {
            let pattern =
                Pattern::parse(label).ok_or_else(|| LocationError::Pattern { pattern: label.to_owned() })?;
            if !pattern.matches(target) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Host and port; all of it is the host if it does not end in a port.
fn split_port(host: &str) -> (&str, &str) {
    let Some((name, port)) = host.rsplit_once(':') else { return (host, "") };
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => (address, port),
        None if name.contains([':', '[', ']']) || port.contains(['[', ']']) => (host, ""),
        None => (name, port),
    }
}

fn read_host(host: &str) -> Result<String, String> {
    let is_port = |text: &str| {
        text.is_empty()
            || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let port = if host.starts_with('[') {
        let end = host.rfind(']').ok_or("missing ']' in host")?;
        &host[end + 1..]
    } else {
        host.find(':').map_or("", |colon| &host[colon..])
    };
    if !is_port(port) {
        return Err(format!("invalid port {port:?} after host"));
    }
    // In a host only what is not ASCII may be escaped, and the percent sign itself, before a zone.
    for (at, byte) in host.bytes().enumerate() {
        let allowed = !byte.is_ascii()
            || byte.is_ascii_alphanumeric()
            || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
            || (byte == b'%'
                && (host.get(at + 1..at + 2).is_some_and(|digit| digit.as_bytes()[0] >= b'8')
                    || host[at..].starts_with("%25")));
        if !allowed {
            return Err(format!("invalid character {:?} in host name", char::from(byte).to_string()));
        }
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(port)?.strip_suffix(']'))
    {
        let plain = address.split_once("%25").map_or(address, |(plain, _)| plain);
        if plain.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("invalid host: only an IPv6 address stands in brackets".to_owned());
        }
    }
    unescaped(host)
}

/// With `%41` read as `A`.
fn unescaped(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let [high, low, tail @ ..] = rest else { return Err(format!("invalid URL escape in {text:?}")) };
        match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(format!("invalid URL escape in {text:?}")),
        }
        rest = tail;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A shell pattern with what can stand in the host of a URL: `*` and `[a-z]`. (What follows a `?` is the query by then,
/// and `^` and backslashes are refused.)
#[derive(Debug)]
struct Pattern(Vec<Token>);

#[derive(Debug)]
enum Token {
    Star,
    Is(char),
    /// Ranges with both ends in.
    Class(Vec<(char, char)>),
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars().peekable();
        let mut tokens = Vec::new();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' => Token::Star,
                '[' => {
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || characters.next_if_eq(&']').is_none() {
                        let mut end = || characters.next().filter(|end| !matches!(end, '-' | ']'));
                        let low = end()?;
                        let high = if characters.next_if_eq(&'-').is_some() {
                            characters.next().filter(|end| !matches!(end, '-' | ']'))?
                        } else {
                            low
                        };
                        ranges.push((low, high));
                    }
                    Token::Class(ranges)
                }
                other => Token::Is(other),
            });
        }
        Some(Self(tokens))
    }

    /// Keeps the place of the last star only, which is enough and cannot take exponential time.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() || token < self.0.len() {
            let fits = match self.0.get(token) {
                Some(Token::Star) => {
                    star = Some((token, at));
                    token += 1;
                    continue;
                }
                Some(one) if at < text.len() => one.fits(text[at]),
                _ => false,
            };
            if fits {
                token += 1;
                at += 1;
            } else if let Some((starred, from)) = star.filter(|(_, from)| *from < text.len()) {
                star = Some((starred, from + 1));
                token = starred + 1;
                at = from + 1;
            } else {
                return false;
            }
        }
        true
    }
}

impl Token {
    fn fits(&self, character: char) -> bool {
        match self {
            Self::Star => true,
            Self::Is(one) => *one == character,
            Self::Class(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_label_by_label() {
        for (glob, target, matches) in [
            ("registry.io", "registry.io/team/app", true),
            ("*.io", "registry.io", true),
            ("*.io", "a.registry.io", false),
            ("*.*.io", "a.registry.io", true),
            ("registry.io:5000", "registry.io", false),
            ("registry.io:5000", "registry.io:5000/x", true),
            ("registry.io/te", "registry.io/team", true),
            ("registry.io/team", "registry.io/tea", false),
            ("r[a-f]gi.io", "regi.io", true),
            ("*a*b*.io", "xxaybz.io", true),
            ("*a*b*.io", "xxbya.io", false),
        ] {
            assert_eq!(location_matches(glob, target), Ok(matches), "{glob} {target}");
        }
    }

    #[test]
    fn what_is_no_location_is_an_error() {
        for glob in ["a b", "[", "[x]", "x:port", "a\nb", "%zz", "x/%z", "{", "re[a-.io", "re[].io", "r[a.io"]
        {
            assert!(location_matches(glob, "regi.io").is_err(), "{glob}");
        }
    }

    #[test]
    fn keys_lose_scheme_and_version() {
        for (key, read) in [
            ("https://index.docker.io/v1/", "index.docker.io"),
            ("http://x.io/v2/team", "x.io/team"),
            ("x.io/v1", "x.io/v1"),
            ("x.io/", "x.io"),
            ("https://", ""),
        ] {
            assert_eq!(Location::parse_key(key).as_deref(), Ok(read), "{key}");
        }
    }
}
