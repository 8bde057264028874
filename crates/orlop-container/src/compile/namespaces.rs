//! Namespaces: which are made, which are joined, and the ids of that of users.

use crate::Error;
use crate::capability::{Capability, CapabilitySet};
use crate::program::{Op, Program, Slot};
use crate::spec::{IdMap, Namespace, UserNamespace};
use crate::sys;

use super::{bits, duplicate};

/// The maps of a user namespace.
#[derive(Clone, Debug)]
pub(crate) struct Maps {
    pub(crate) users: Vec<IdMap>,
    pub(crate) groups: Vec<IdMap>,
    /// Whether groups may not be set inside, without which the kernel doesn't let an ordinary user map a group.
    pub(crate) deny_setgroups: bool,
}

impl Maps {
    /// # Errors
    /// If id 0 isn't mapped, a range is empty or too long, or there are too many.
    pub(crate) fn new(users: &[IdMap], groups: &[IdMap]) -> Result<Self, Error> {
        for (field, maps) in [("namespaces.user.users", users), ("namespaces.user.groups", groups)] {
            let whole = |map: &IdMap| {
                map.count > 0
                    && map.inside.checked_add(map.count).is_some()
                    && map.outside.checked_add(map.count).is_some()
            };
            if !maps.iter().any(|map| map.inside == 0 && map.count > 0) {
                return Err(Error::spec(field, "must map id 0"));
            }
            if maps.len() > 340 || !maps.iter().all(whole) {
                return Err(Error::spec(field, "at most 340 ranges, each within 32 bits and not empty"));
            }
        }
        let (effective, _) = sys::capget().unwrap_or_default();
        let deny_setgroups = !CapabilitySet::from_bits(effective).contains(Capability::Setgid);
        Ok(Self { users: users.to_vec(), groups: groups.to_vec(), deny_setgroups })
    }

    /// Who a user is for the caller.
    pub(super) fn outside(&self, uid: u32) -> Option<u32> {
        let offset = |map: &IdMap| uid.checked_sub(map.inside).filter(|offset| *offset < map.count);
        self.users.iter().find_map(|map| Some(map.outside + offset(map)?))
    }
}

/// Namespaces but the mount namespace: new, joined or the caller's.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Those that are made.
    pub(crate) flags: u64,
    /// Those that are joined.
    joins: Vec<(Slot, i32, &'static str)>,
    pub(crate) maps: Option<Maps>,
    /// Whether it has another user namespace than the caller.
    pub(crate) other_user: bool,
    pub(crate) joins_user: bool,
    joins_pid: bool,
}

impl Layout {
    pub(crate) fn user(&mut self, program: &mut Program, user: &UserNamespace) -> Result<(), Error> {
        match user {
            UserNamespace::Host => {}
            UserNamespace::New { users, groups } => {
                self.maps = Some(Maps::new(users, groups)?);
                self.flags |= bits(libc::CLONE_NEWUSER);
                self.other_user = true;
            }
            UserNamespace::Join(fd) => {
                let slot = program.bring(duplicate(fd)?)?;
                self.joins.push((slot, libc::CLONE_NEWUSER, "user"));
                self.other_user = true;
                self.joins_user = true;
            }
        }
        Ok(())
    }

    pub(crate) fn add(
        &mut self,
        program: &mut Program,
        namespace: &Namespace,
        kind: i32,
        name: &'static str,
    ) -> Result<(), Error> {
        match namespace {
            Namespace::Host => {}
            Namespace::New => self.flags |= bits(kind),
            Namespace::Join(fd) => {
                let slot = program.bring(duplicate(fd)?)?;
                self.joins.push((slot, kind, name));
                self.joins_pid |= kind == libc::CLONE_NEWPID;
            }
        }
        Ok(())
    }

    /// Joins in the process itself, or in one between it and the caller where the process could not: to join a pid
    /// namespace concerns children only, and whoever has a new user namespace may not join what belongs to another.
    pub(crate) fn join(&mut self, program: &mut Program) {
        let joins = std::mem::take(&mut self.joins);
        if self.joins_pid || (self.other_user && !joins.is_empty()) {
            program.joins = joins;
        } else {
            for (slot, flags, name) in joins {
                program.push(Op::Setns { slot, flags, name });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_checked() {
        let map = |inside, outside, count| IdMap { inside, outside, count };
        let good = [map(0, 100_000, 65_536)];
        Maps::new(&good, &good).expect("valid");
        for bad in [
            vec![],
            vec![map(1, 0, 1)],
            vec![map(0, 0, 0)],
            vec![map(0, u32::MAX, 2)],
            vec![map(0, 0, 1); 341],
        ] {
            assert!(Maps::new(&bad, &good).is_err(), "{bad:?}");
            assert!(Maps::new(&good, &bad).is_err(), "{bad:?}");
        }
    }
}
