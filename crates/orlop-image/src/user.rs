//! Users and groups by the image's own files.

/// The most bytes of `/etc/passwd` or `/etc/group` that are read.
#[cfg(target_os = "linux")]
pub(crate) const FILE_LIMIT: u64 = 4 << 20;

/// The highest number of a user or a group.
const ID_MAX: u32 = 0x7fff_ffff;

/// Who a process runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Further groups, sorted, each once.
    pub groups: Vec<u32>,
    /// The name, if the image knows one.
    pub name: Option<String>,
    /// The home directory, if the image knows one.
    pub home: Option<String>,
}

/// A user or a group that the image doesn't know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// No user of this name.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    User(String),
    /// No group of this name.
    #[error("unable to find group {0}: no matching entries in group file")]
    Group(String),
    /// A number that is none of a user's or group's.
    #[error("{0}: uids and gids must be in range 0-2147483647")]
    Range(String),
}

impl User {
    /// Reads `user`, `uid`, `user:group`, `uid:gid` and so on, as the configuration of an image has it, by the contents
    /// of the image's `/etc/passwd` and `/etc/group` (empty if it has none). Nothing but an empty text is root.
    ///
    /// Without a group, the user gets the group of their entry and the groups that list them, also if they were given by
    /// number; with one, that group alone (image specification, `config.md`; what containerd and Docker do). A uid
    /// without an entry gets group 0. A name that consists of digits is a number if there is no user called so.
    ///
    /// # Errors
    /// A name that isn't there, or a number out of range, also one of the image's own files.
    pub fn resolve(text: &str, passwd: &[u8], group: &[u8]) -> Result<Self, UserError> {
        let (user, wanted_group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let number = id(user)?;
        let entries = || lines(passwd).filter_map(Account::read);
        let entry = entries()
            .find(|entry| entry.name == user)
            .or_else(|| entries().find(|entry| Some(entry.uid) == number));
        let uid = match (&entry, number) {
            (Some(entry), _) => entry.uid,
            (None, Some(number)) => number,
            (None, None) => return Err(UserError::User(user.to_owned())),
        };
        let mut resolved = Self {
            uid,
            gid: entry.as_ref().map_or(0, |entry| entry.gid),
            groups: Vec::new(),
            name: entry.as_ref().map(|entry| entry.name.to_owned()),
            home: entry.as_ref().map(|entry| entry.home.to_owned()).filter(|home| !home.is_empty()),
        };
        match wanted_group {
            Some(wanted) if !wanted.is_empty() => resolved.gid = group_id(wanted, group)?,
            _ => {
                if let Some(entry) = entry {
                    let lists = |members: &str| members.split(',').any(|member| member == entry.name);
                    resolved.groups = groups(group)
                        .filter(|(_, _, members)| lists(members))
                        .map(|(_, gid, _)| gid)
                        .collect();
                    resolved.groups.sort_unstable();
                    resolved.groups.dedup();
                }
            }
        }
        // The kernel takes the highest number for "as it is", which is root.
        match [resolved.uid, resolved.gid].iter().chain(&resolved.groups).find(|id| **id > ID_MAX) {
            Some(id) => Err(UserError::Range(id.to_string())),
            None => Ok(resolved),
        }
    }
}

/// The number of a group by name or number.
///
/// # Errors
/// A name that isn't there, or a number out of range.
fn group_id(wanted: &str, group: &[u8]) -> Result<u32, UserError> {
    let number = id(wanted)?;
    groups(group)
        .find(|(name, ..)| *name == wanted)
        .map(|(_, gid, _)| gid)
        .or(number)
        .ok_or_else(|| UserError::Group(wanted.to_owned()))
}

/// The number in a text, if it is one.
fn id(text: &str) -> Result<Option<u32>, UserError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse::<i64>() {
        Ok(number) if (0..=ID_MAX.into()).contains(&number) => Ok(u32::try_from(number).ok()),
        _ => Err(UserError::Range(text.to_owned())),
    }
}

fn lines(file: &[u8]) -> impl Iterator<Item = &str> {
    file.split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Account<'a> {
    /// `name:password:uid:gid:comment:home:shell`
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { name, uid, gid, home: fields.nth(1).unwrap_or_default() })
    }
}

/// `name:password:gid:member,member`
fn groups(file: &[u8]) -> impl Iterator<Item = (&str, u32, &str)> {
    lines(file).filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\napp:x:1000:100:App:/home/app:/bin/sh\n\
        7:x:70:71:digits:/seven:\n\xff:x:5:5::/:\n";
    const GROUP: &[u8] = b"root:x:0:\nwheel:x:10:app,root\nusers:x:100:\naudio:x:29:app\nagain:x:29:app\n";

    fn resolved(text: &str) -> Result<(u32, u32, Vec<u32>), UserError> {
        User::resolve(text, PASSWD, GROUP).map(|user| (user.uid, user.gid, user.groups))
    }

    #[test]
    fn users_are_found_by_name_and_number() {
        assert_eq!(resolved(""), Ok((0, 0, vec![10])));
        assert_eq!(resolved("app"), Ok((1000, 100, vec![10, 29])));
        assert_eq!(resolved("1000"), Ok((1000, 100, vec![10, 29])));
        assert_eq!(resolved("app:"), Ok((1000, 100, vec![10, 29])));
        assert_eq!(resolved("app:wheel"), Ok((1000, 10, vec![])));
        assert_eq!(resolved("app:5"), Ok((1000, 5, vec![])));
        assert_eq!(resolved("4711"), Ok((4711, 0, vec![])));
        assert_eq!(resolved("4711:users"), Ok((4711, 100, vec![])));
        assert_eq!(resolved("7"), Ok((70, 71, vec![])));
        assert_eq!(User::resolve("app", PASSWD, GROUP).unwrap().home.as_deref(), Some("/home/app"));
        assert_eq!(User::resolve("5", b"", b"").unwrap(), User { uid: 5, ..User::default() });
    }

    #[test]
    fn others_are_refused() {
        assert_eq!(resolved("nobody"), Err(UserError::User("nobody".to_owned())));
        assert_eq!(resolved("app:nobody"), Err(UserError::Group("nobody".to_owned())));
        for text in ["-1", "4294967295", "2147483648", "app:-1", "99999999999999999999"] {
            assert!(matches!(resolved(text), Err(UserError::Range(_))), "{text}");
        }
        // A colon in the name of a group is part of it (crun took the rest for something else, CVE-2026-30892).
        assert!(resolved("app:wheel:0").is_err());
        assert!(resolved("app\n").is_err());
    }

    #[test]
    fn no_entry_makes_someone_root_by_its_number() {
        for (text, passwd, group) in [
            ("app", "app:x:4294967295:5::/:", ""),
            ("app", "app:x:5:4294967295::/:", ""),
            ("5", "app:x:5:2147483648::/:", ""),
            ("app:all", "app:x:5:5::/:", "all:x:4294967295:"),
            ("app", "app:x:5:5::/:", "all:x:4294967295:app"),
        ] {
            let user = User::resolve(text, passwd.as_bytes(), group.as_bytes());
            assert!(matches!(user, Err(UserError::Range(_))), "{text} {passwd} {group}: {user:?}");
        }
    }
}
