//! [`Ids`]: which users and groups the user namespace of this process has.

use std::path::Path;

use crate::Error;

/// The users and groups that there are in a user namespace (user_namespaces(7)). On the machine itself that is all of
/// them; where an ordinary user has made the namespace, it may be a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    users: Vec<Range>,
    groups: Vec<Range>,
    sets_groups: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    inside: u32,
    outside: u32,
    count: u32,
}

impl Ids {
    /// Those of this process.
    ///
    /// # Errors
    /// If `/proc` cannot be read, or isn't understood.
    pub fn own() -> Result<Self, Error> {
        let read = |name: &str| {
            let path = format!("/proc/self/{name}");
            std::fs::read_to_string(&path).map_err(|source| Error::Step {
                operation: "read",
                object: path,
                source,
            })
        };
        Self::parse(&read("uid_map")?, &read("gid_map")?, &read("setgroups")?)
    }

    /// From the texts of `uid_map`, `gid_map` and `setgroups` of a process.
    ///
    /// # Errors
    /// If a text isn't understood.
    pub fn parse(users: &str, groups: &str, setgroups: &str) -> Result<Self, Error> {
        Ok(Self {
            users: ranges("uid_map", users)?,
            groups: ranges("gid_map", groups)?,
            sets_groups: setgroups.trim() != "deny",
        })
    }

    /// Whether there is such a user, so that a process or a file can be its.
    #[must_use]
    pub fn has_user(&self, uid: u32) -> bool {
        self.users.iter().any(|range| range.holds(uid))
    }

    /// Whether there is such a group.
    #[must_use]
    pub fn has_group(&self, gid: u32) -> bool {
        self.groups.iter().any(|range| range.holds(gid))
    }

    /// Whether a process may choose supplementary groups. It may not where an ordinary user has made the namespace without
    /// the help of newgidmap(1).
    #[must_use]
    pub fn sets_groups(&self) -> bool {
        self.sets_groups
    }

    /// Whether these are the machine's own: each id is itself, and none is missing.
    #[must_use]
    pub fn are_the_machines(&self) -> bool {
        let whole = |ranges: &[Range]| matches!(ranges, [Range { inside: 0, outside: 0, count }] if *count == u32::MAX);
        whole(&self.users) && whole(&self.groups)
    }

    /// Who a user is for whoever made the namespace; nothing if there is no such user.
    #[must_use]
    pub fn outside(&self, uid: u32) -> Option<u32> {
        let range = self.users.iter().find(|range| range.holds(uid))?;
        Some(range.outside + (uid - range.inside))
    }

    /// How many users there are.
    #[must_use]
    pub fn users(&self) -> u32 {
        self.users.iter().fold(0, |sum, range| sum.saturating_add(range.count))
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> u32 {
        self.groups.iter().fold(0, |sum, range| sum.saturating_add(range.count))
    }
}

impl Range {
    fn holds(self, id: u32) -> bool {
        id.checked_sub(self.inside).is_some_and(|offset| offset < self.count)
    }
}

/// Lines of three numbers: the first id inside, the first outside, how many.
fn ranges(file: &str, text: &str) -> Result<Vec<Range>, Error> {
    let range = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (inside, outside, count) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let whole = inside.checked_add(count).is_some() && outside.checked_add(count).is_some();
        (numbers.next().is_none() && whole).then_some(Range { inside, outside, count })
    };
    text.lines().map(range).collect::<Option<Vec<_>>>().ok_or_else(|| Error::Record {
        path: Path::new("/proc/self").join(file),
        message: "not understood".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let all = "         0          0 4294967295\n";
        let machine = Ids::parse(all, all, "allow\n").expect("understood");
        assert!(machine.are_the_machines() && machine.sets_groups() && machine.has_user(u32::MAX - 1));

        let one = Ids::parse("0 65534 1\n", "0 65534 1\n", "deny\n").expect("understood");
        assert!(!one.are_the_machines() && !one.sets_groups());
        assert_eq!((one.users(), one.groups()), (1, 1));
        assert!(one.has_user(0) && !one.has_user(1) && !one.has_group(5));

        let many = Ids::parse("0 1000 1\n1 100000 65536\n", "0 1000 1\n1 100000 5\n", "allow\n");
        let many = many.expect("understood");
        assert!(many.has_user(65_536) && !many.has_user(65_537) && many.has_group(5) && !many.has_group(6));
        assert!(!many.are_the_machines() && many.sets_groups());
        assert_eq!(
            [0, 1, 3, 65_537].map(|uid| many.outside(uid)),
            [Some(1000), Some(100_000), Some(100_002), None]
        );

        for bad in ["x", "1 2", "1 2 3 4", "0 0 -1", "1 0 4294967295"] {
            assert!(Ids::parse(bad, "", "").is_err(), "{bad:?}");
            assert!(Ids::parse("", bad, "").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ones_own_are_there() {
        let ids = Ids::own().expect("understood");
        assert!(ids.has_user(rustix::process::geteuid().as_raw()));
    }
}
