//! Kernel parameters of namespaces.

use std::collections::BTreeMap;

use crate::Error;
use crate::program::{FsMount, Op, Program, Slot, c_string};

/// A process file system that is attached nowhere, if parameters are to be set: nothing in the container can lead what is
/// written there elsewhere.
pub(crate) fn sysctls_mount(p: &mut Program, wanted: bool) -> Slot {
    let out = p.slot();
    if wanted {
        p.push(Op::FsMount(FsMount {
            name: c"proc".to_owned(),
            options: Vec::new(),
            attributes: 0,
            out,
            fallback: None,
            optional: false,
        }));
    }
    out
}

/// Which namespaces with kernel parameters are not the caller's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) ipc: bool,
}

pub(crate) fn sysctls(
    p: &mut Program,
    sysctls: &BTreeMap<String, String>,
    own: Own,
    proc: Slot,
) -> Result<(), Error> {
    for (name, value) in sysctls {
        let field = format!("sysctls[{name:?}]");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let path = name.replace('.', "/");
        if !name.bytes().all(plain) || path.split('/').any(|part| part.is_empty()) {
            return Err(Error::spec(field, "is not the name of a kernel parameter"));
        }
        match namespace(&path, own) {
            Some(true) => {}
            Some(false) => {
                return Err(Error::spec(field, "belongs to a namespace that is the machine's"));
            }
            None => return Err(Error::spec(field, "belongs to no namespace: it would change the machine")),
        }
        let path = c_string(&field, format!("sys/{path}"))?;
        p.push(Op::Sysctl { proc, path, value: value.clone().into_bytes() });
    }
    Ok(())
}

/// Whether the namespace that a parameter belongs to, if it belongs to one, is the container's own.
fn namespace(path: &str, own: Own) -> Option<bool> {
    const IPC: &[&str] = &[
        "kernel/msgmax",
        "kernel/msgmnb",
        "kernel/msgmni",
        "kernel/sem",
        "kernel/shmall",
        "kernel/shmmax",
        "kernel/shmmni",
        "kernel/shm_rmid_forced",
        "kernel/msg_next_id",
        "kernel/sem_next_id",
        "kernel/shm_next_id",
    ];
    if path.starts_with("net/") {
        return Some(own.network);
    }
    (IPC.contains(&path) || path.starts_with("fs/mqueue/")).then_some(own.ipc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_of_namespaces_are_set() {
        let set = |name: &str| {
            let mut program = Program::default();
            let slot = program.slot();
            let own = Own { network: true, ipc: true };
            sysctls(&mut program, &[(name.to_owned(), "1".to_owned())].into(), own, slot)
        };
        for name in
            ["net.ipv4.ip_forward", "kernel.shmmax", "fs.mqueue.msg_max", "net/ipv4/conf/eth0/forwarding"]
        {
            set(name).expect(name);
        }
        for name in [
            "kernel.core_pattern",
            "vm.swappiness",
            "kernel.shm",
            "",
            "net..x",
            "net.ipv4.../../kernel",
            "fs.mqueue",
            "../sysrq-trigger",
            "net/../kernel/core_pattern",
        ] {
            assert!(set(name).is_err(), "{name:?}");
        }
        let own = |network, ipc| {
            ["net/ipv4/ip_forward", "kernel/shmmax", "fs/mqueue/msg_max", "vm/swappiness"]
                .map(|path| namespace(path, Own { network, ipc }))
        };
        assert_eq!(own(true, false), [Some(true), Some(false), Some(false), None]);
        assert_eq!(own(false, true), [Some(false), Some(true), Some(true), None]);
    }
}
