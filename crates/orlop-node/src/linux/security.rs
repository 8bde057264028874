//! Whose a container's process is and what it may: the merged security contexts of pod and container.

use orlop_container::{Capability, CapabilitySet, Ids};
use orlop_image::User;
use orlop_model::Str;
use orlop_model::core::v1::{
    AppArmorProfile, AppArmorProfileType, Container, Pod, PodSecurityContext, ProcMountType, SeccompProfile,
    SeccompProfileType, SecurityContext, SupplementalGroupsPolicy,
};

use crate::plan::pod_text;

/// Why a container cannot be made as its security context asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SecurityError {
    #[error("container's runAsUser breaks non-root policy (pod: \"{pod}\", container: {container})")]
    RunsAsRoot { pod: String, container: Str },
    #[error("container has runAsNonRoot and image will run as root (pod: \"{pod}\", container: {container})")]
    ImageRunsAsRoot { pod: String, container: Str },
    #[error(
        "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root (pod: \"{pod}\", container: {container})"
    )]
    NameOfUser { user: String, pod: String, container: Str },
    #[error(transparent)]
    User(#[from] orlop_image::UserError),
    #[error("{field}: {value} is no id of a user or group")]
    Id { field: &'static str, value: i64 },
    #[error("Cannot enforce AppArmor: AppArmor is not enabled on the host")]
    NoAppArmor,
    #[error("Cannot enforce AppArmor: profile {profile:?} is not supported by this runtime")]
    AppArmor { profile: String },
    #[error("{field}: groups cannot be set in the user namespace of this node")]
    Groups { field: &'static str },
    #[error("capabilities.{list}: {source}")]
    Capability { list: &'static str, source: orlop_container::UnknownCapability },
}

/// Which seccomp profile a process gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SeccompChoice {
    Default,
    Unconfined,
    /// A file below the node's folder of profiles.
    File(Str),
}

/// What a container's process may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) privileged: bool,
    pub(crate) read_only_root: bool,
    pub(crate) no_new_privileges: bool,
    pub(crate) capabilities: CapabilitySet,
    pub(crate) seccomp: SeccompChoice,
    /// Parts of `/proc` and `/sys` are hidden or read-only.
    pub(crate) masked: bool,
}

fn contexts<'a>(
    pod: &'a Pod,
    container: &'a Container,
) -> (Option<&'a PodSecurityContext>, Option<&'a SecurityContext>) {
    (pod.spec.security_context.as_deref(), container.security_context.as_deref())
}

/// Whether a container is privileged.
pub(crate) fn is_privileged(container: &Container) -> bool {
    container.security_context.as_ref().and_then(|context| context.privileged) == Some(true)
}

/// Whether the kernel has AppArmor switched on.
pub(crate) fn kernel_has_app_armor() -> bool {
    std::fs::read("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with(b"Y"))
}

/// Whether a container can be made as far as AppArmor goes: only if it asks for no profile. `enabled`: the kernel has
/// AppArmor.
///
/// # Errors
/// It asks for a profile, by a field or by the annotation of before.
pub(crate) fn app_armor(pod: &Pod, container: &Container, enabled: bool) -> Result<(), SecurityError> {
    let (of_pod, own) = contexts(pod, container);
    let named = |profile: &AppArmorProfile| match (&profile.type_, &profile.localhost_profile) {
        (AppArmorProfileType::Unconfined, _) => None,
        (AppArmorProfileType::Localhost, Some(name)) => Some(format!("localhost/{name}")),
        (other, _) => Some(other.to_string()),
    };
    let annotation = || {
        let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name);
        let value = pod.metadata.annotations.get(key.as_str())?;
        Some(Some(value.to_string()).filter(|value| value != "unconfined"))
    };
    let asked = own
        .and_then(|own| own.app_armor_profile.as_deref())
        .map(named)
        .or_else(annotation)
        .or_else(|| of_pod.and_then(|of_pod| of_pod.app_armor_profile.as_deref()).map(named))
        .flatten();
    match asked {
        None => Ok(()),
        Some(_) if !enabled => Err(SecurityError::NoAppArmor),
        Some(profile) => Err(SecurityError::AppArmor { profile }),
    }
}

/// What a container's process may. `seccomp_default`: what names no profile gets the default one, else none. `all`: the
/// capabilities that there are to give.
///
/// # Errors
/// A capability that nobody knows.
pub(crate) fn rights(
    pod: &Pod,
    container: &Container,
    seccomp_default: bool,
    all: CapabilitySet,
) -> Result<Rights, SecurityError> {
    let (of_pod, own) = contexts(pod, container);
    let privileged = is_privileged(container);
    let flag = |read: fn(&SecurityContext) -> Option<bool>| own.and_then(read);
    let profile: Option<&SeccompProfile> = own
        .and_then(|own| own.seccomp_profile.as_deref())
        .or_else(|| of_pod.and_then(|of_pod| of_pod.seccomp_profile.as_deref()));
    let seccomp = match profile.map(|profile| (&profile.type_, &profile.localhost_profile)) {
        _ if privileged => SeccompChoice::Unconfined,
        Some((SeccompProfileType::RuntimeDefault, _)) => SeccompChoice::Default,
        Some((SeccompProfileType::Localhost, file)) => SeccompChoice::File(file.clone().unwrap_or_default()),
        None if seccomp_default => SeccompChoice::Default,
        Some(_) | None => SeccompChoice::Unconfined,
    };
    let unmasked = own.and_then(|own| own.proc_mount.as_ref()) == Some(&ProcMountType::Unmasked);
    Ok(Rights {
        privileged,
        read_only_root: flag(|own| own.read_only_root_filesystem) == Some(true),
        no_new_privileges: !privileged && flag(|own| own.allow_privilege_escalation) == Some(false),
        capabilities: if privileged { all } else { capabilities(own, all)? },
        seccomp,
        masked: !privileged && !unmasked,
    })
}

/// The usual set, with what is added and without what is dropped. `ALL` stands for all; single ones count after it.
fn capabilities(own: Option<&SecurityContext>, every: CapabilitySet) -> Result<CapabilitySet, SecurityError> {
    let Some(asked) = own.and_then(|own| own.capabilities.as_deref()) else {
        return Ok(CapabilitySet::CONTAINER);
    };
    let read = |list: &'static str, names: &[Str]| -> Result<(bool, CapabilitySet), SecurityError> {
        let all = names.iter().any(|name| name.eq_ignore_ascii_case("ALL"));
        let single = names.iter().filter(|name| !name.eq_ignore_ascii_case("ALL"));
        let set = single.map(|name| name.parse::<Capability>()).collect::<Result<CapabilitySet, _>>();
        Ok((all, set.map_err(|source| SecurityError::Capability { list, source })?))
    };
    let (add_all, add) = read("add", &asked.add)?;
    let (drop_all, drop) = read("drop", &asked.drop)?;
    let base = match (add_all, drop_all) {
        (true, _) => every,
        (false, true) => CapabilitySet::EMPTY,
        (false, false) => CapabilitySet::CONTAINER,
    };
    Ok((base | add) - drop)
}

fn id(field: &'static str, value: i64) -> Result<u32, SecurityError> {
    u32::try_from(value).map_err(|_| SecurityError::Id { field, value })
}

/// Whose a container's process is, by the security contexts, the image's user and the image's own lists of users and
/// groups. `ids` are those that this node can give: where it cannot set groups (as an ordinary user's), those that the image
/// alone wants are left out, and those that the pod wants are an error.
///
/// # Errors
/// A user that is not there, or one that must not be.
pub(crate) fn user(
    pod: &Pod,
    container: &Container,
    image_user: &str,
    passwd: &[u8],
    group: &[u8],
    ids: &Ids,
) -> Result<User, SecurityError> {
    let (of_pod, own) = contexts(pod, container);
    let run_as_user = own.and_then(|own| own.run_as_user).or(of_pod.and_then(|of_pod| of_pod.run_as_user));
    let run_as_group = own.and_then(|own| own.run_as_group).or(of_pod.and_then(|of_pod| of_pod.run_as_group));
    let non_root =
        own.and_then(|own| own.run_as_non_root).or(of_pod.and_then(|of_pod| of_pod.run_as_non_root));
    let named = || (pod_text(pod), container.name.clone());
    if non_root == Some(true) {
        let user_of_image = image_user.split(':').next().unwrap_or_default();
        match (run_as_user, user_of_image.parse::<i64>()) {
            (Some(0), _) => {
                let (pod, container) = named();
                return Err(SecurityError::RunsAsRoot { pod, container });
            }
            (Some(_), _) => {}
            (None, Ok(0)) => {
                let (pod, container) = named();
                return Err(SecurityError::ImageRunsAsRoot { pod, container });
            }
            (None, Ok(_)) => {}
            (None, Err(_)) if user_of_image.is_empty() => {
                let (pod, container) = named();
                return Err(SecurityError::ImageRunsAsRoot { pod, container });
            }
            (None, Err(_)) => {
                let (pod, container) = named();
                return Err(SecurityError::NameOfUser { user: user_of_image.to_owned(), pod, container });
            }
        }
    }
    let asked = match run_as_user {
        Some(user) => id("runAsUser", user)?.to_string(),
        None => image_user.to_owned(),
    };
    let mut user = User::resolve(&asked, passwd, group)?;
    if let Some(group) = run_as_group {
        user.gid = id("runAsGroup", group)?;
    }
    let strict = of_pod.and_then(|of_pod| of_pod.supplemental_groups_policy.as_ref())
        == Some(&SupplementalGroupsPolicy::Strict);
    if strict {
        user.groups.clear();
    }
    if !ids.sets_groups() {
        for (field, asked) in [
            ("fsGroup", of_pod.is_some_and(|of_pod| of_pod.fs_group.is_some())),
            ("supplementalGroups", of_pod.is_some_and(|of_pod| !of_pod.supplemental_groups.is_empty())),
        ] {
            if asked {
                return Err(SecurityError::Groups { field });
            }
        }
        user.groups.clear();
        return Ok(user);
    }
    for group in of_pod.iter().flat_map(|of_pod| of_pod.fs_group.iter().chain(&of_pod.supplemental_groups)) {
        user.groups.push(id("supplementalGroups", *group)?);
    }
    // The process's own group is among its groups, as in containers of others.
    user.groups.push(user.gid);
    user.groups.sort_unstable();
    user.groups.dedup();
    Ok(user)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0::/root:/bin/sh\nweb:x:101:102:Web:/srv:/bin/false\n";
    const GROUP: &[u8] = b"root:x:0:\nextra:x:500:web,other\n";

    fn pod(of_pod: serde_json::Value, own: serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p", "namespace": "n", "uid": "u"},
            "spec": {"securityContext": of_pod, "containers": [{"name": "c", "securityContext": own}]},
        }))
        .unwrap()
    }

    fn whose(
        of_pod: serde_json::Value,
        own: serde_json::Value,
        image: &str,
    ) -> Result<(u32, u32, Vec<u32>), String> {
        whose_among(&machine(), of_pod, own, image)
    }

    fn machine() -> Ids {
        Ids::parse("0 0 4294967295", "0 0 4294967295", "allow").unwrap()
    }

    fn whose_among(
        ids: &Ids,
        of_pod: serde_json::Value,
        own: serde_json::Value,
        image: &str,
    ) -> Result<(u32, u32, Vec<u32>), String> {
        let pod = pod(of_pod, own);
        let user = user(&pod, &pod.spec.containers[0], image, PASSWD, GROUP, ids);
        let user = user.map_err(|error| error.to_string())?;
        Ok((user.uid, user.gid, user.groups))
    }

    #[test]
    fn groups_that_cannot_be_set_are_left_out_unless_the_pod_asks() {
        let one = Ids::parse("0 1000 1", "0 1000 1", "deny").unwrap();
        let among = |of_pod| whose_among(&one, of_pod, json!({}), "web");
        assert_eq!(among(json!({})).unwrap(), (101, 102, vec![]));
        for field in ["fsGroup", "supplementalGroups"] {
            let value = if field == "fsGroup" { json!(5) } else { json!([5]) };
            let error = among(json!({field: value})).unwrap_err();
            assert!(error.starts_with(&format!("{field}: groups cannot be set")), "{error}");
        }
    }

    #[test]
    fn users_and_groups() {
        assert_eq!(whose(json!({}), json!({}), "").unwrap(), (0, 0, vec![0]));
        assert_eq!(whose(json!({}), json!({}), "web").unwrap(), (101, 102, vec![102, 500]));
        assert_eq!(
            whose(
                json!({"runAsUser": 7, "fsGroup": 9, "supplementalGroups": [8]}),
                json!({"runAsUser": 101}),
                "root"
            )
            .unwrap(),
            (101, 102, vec![8, 9, 102, 500])
        );
        assert_eq!(
            whose(json!({"supplementalGroupsPolicy": "Strict"}), json!({"runAsGroup": 5}), "web").unwrap(),
            (101, 5, vec![5])
        );
        let error = whose(json!({}), json!({}), "nobody").unwrap_err();
        assert_eq!(error, "unable to find user nobody: no matching entries in passwd file");
    }

    #[test]
    fn non_root_is_verified() {
        let strict = json!({"runAsNonRoot": true});
        for (own, image, text) in [
            (
                json!({"runAsUser": 0}),
                "web",
                "container's runAsUser breaks non-root policy (pod: \"p_n(u)\", container: c)",
            ),
            (
                json!({}),
                "",
                "container has runAsNonRoot and image will run as root (pod: \"p_n(u)\", container: c)",
            ),
            (
                json!({}),
                "0:5",
                "container has runAsNonRoot and image will run as root (pod: \"p_n(u)\", container: c)",
            ),
            (
                json!({}),
                "web",
                "container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root (pod: \"p_n(u)\", container: c)",
            ),
        ] {
            assert_eq!(whose(strict.clone(), own, image).unwrap_err(), text);
        }
        assert_eq!(whose(strict.clone(), json!({}), "101").unwrap().0, 101);
        assert_eq!(whose(strict, json!({"runAsNonRoot": false}), "").unwrap().0, 0);
    }

    #[test]
    fn rights_follow_the_context() {
        let made = |own: serde_json::Value| {
            let pod = pod(json!({"seccompProfile": {"type": "RuntimeDefault"}}), own);
            rights(&pod, &pod.spec.containers[0], false, CapabilitySet::ALL)
        };
        let usual = made(json!({})).unwrap();
        assert_eq!(usual.capabilities, CapabilitySet::CONTAINER);
        assert!(usual.masked && usual.seccomp == SeccompChoice::Default && !usual.no_new_privileges);
        let few = made(json!({
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CAP_CHOWN"]},
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
        }))
        .unwrap();
        assert_eq!(
            few.capabilities.iter().map(Capability::name).collect::<Vec<_>>(),
            ["CHOWN", "NET_BIND_SERVICE"]
        );
        assert!(few.no_new_privileges && few.read_only_root);
        let all = made(json!({"privileged": true})).unwrap();
        assert!(
            all.capabilities == CapabilitySet::ALL && all.seccomp == SeccompChoice::Unconfined && !all.masked
        );
        assert!(made(json!({"capabilities": {"add": ["NOPE"]}})).is_err());
    }

    #[test]
    fn a_profile_of_app_armor_is_refused() {
        let asks = |of_pod: serde_json::Value, own: serde_json::Value, enabled| {
            let pod = pod(of_pod, own);
            app_armor(&pod, &pod.spec.containers[0], enabled).map_err(|error| error.to_string())
        };
        let profile = json!({"appArmorProfile": {"type": "Localhost", "localhostProfile": "strict"}});
        let none = json!({"appArmorProfile": {"type": "Unconfined"}});
        assert_eq!(asks(json!({}), json!({}), false), Ok(()));
        assert_eq!(asks(profile.clone(), none, false), Ok(()));
        let error = asks(profile.clone(), json!({}), false).unwrap_err();
        assert_eq!(error, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
        assert!(asks(json!({}), profile, true).unwrap_err().contains("localhost/strict"));
        let mut old = pod(json!({}), json!({}));
        let key = "container.apparmor.security.beta.kubernetes.io/c";
        old.metadata.annotations.insert(key, "runtime/default".into());
        assert_eq!(app_armor(&old, &old.spec.containers[0], false), Err(SecurityError::NoAppArmor));
    }
}
