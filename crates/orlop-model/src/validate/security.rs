//! Users, groups, privileges and profiles of pods and containers.

use super::rules::{Rules, Seen};
use super::volume::local_path;
use crate::FieldValue;
use crate::core::v1::{
    AppArmorProfile, OSName, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext,
    WindowsSecurityContextOptions,
};
use crate::names;

/// Highest uid, gid and number of seconds.
pub(super) const MAX_I32: i64 = i32::MAX as i64;

/// Longest path that Linux takes, without the zero at its end.
const MAX_PATH: usize = 4095;
const MAX_GMSA_SPEC: usize = 64 << 10;
const MAX_WINDOWS_DOMAIN: usize = 256;
const MAX_WINDOWS_USER: usize = 104;

fn id(rules: &mut Rules, field: &str, id: Option<i64>) {
    if let Some(id) = id {
        rules.in_range(field, id, 0, MAX_I32);
    }
}

/// The security context of a pod; `host_sysctls`: sysctls of namespaces that are the host's are let pass.
pub(super) fn pod(rules: &mut Rules, spec: &PodSpec, host_sysctls: bool, only_recursive: bool) {
    // Kubernetes keeps this field in the security context.
    if spec.share_process_namespace == Some(true) && spec.host_pid {
        rules.invalid(
            "securityContext.shareProcessNamespace",
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
    rules.option("securityContext", spec.security_context.as_deref(), |rules, context| {
        pod_context(rules, context, only_recursive);
        sysctls(rules, context, spec, host_sysctls);
    });
}

fn pod_context(rules: &mut Rules, context: &PodSecurityContext, only_recursive: bool) {
    id(rules, "fsGroup", context.fs_group);
    id(rules, "runAsUser", context.run_as_user);
    id(rules, "runAsGroup", context.run_as_group);
    rules
        .each("supplementalGroups", &context.supplemental_groups, |rules, group| id(rules, "", Some(*group)));
    if let Some(policy) = &context.fs_group_change_policy {
        rules.one_of("fsGroupChangePolicy", policy.as_str(), &["Always", "OnRootMismatch"]);
    }
    rules.option("seccompProfile", context.seccomp_profile.as_deref(), seccomp);
    rules.option("windowsOptions", context.windows_options.as_deref(), windows);
    rules.option("appArmorProfile", context.app_armor_profile.as_deref(), app_armor);
    if let Some(policy) = &context.supplemental_groups_policy {
        rules.one_of("supplementalGroupsPolicy", policy.as_str(), &["Merge", "Strict"]);
    }
    if let Some(policy) = &context.se_linux_change_policy {
        let supported: &[&str] = if only_recursive { &["Recursive"] } else { &["MountOption", "Recursive"] };
        rules.one_of("seLinuxChangePolicy", policy.as_str(), supported);
    }
}

fn sysctls(rules: &mut Rules, context: &PodSecurityContext, spec: &PodSpec, host_sysctls: bool) {
    let mut seen = Seen::new();
    rules.each("sysctls", &context.sysctls, |rules, sysctl| {
        let name = sysctl.name.as_str();
        let is_new = seen.insert(name);
        if name.is_empty() {
            rules.required("name", "");
        } else if !is_sysctl(name) {
            let detail = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            rules.invalid("name", name, detail);
        } else if !is_new {
            rules.duplicate("name", name);
        }
        if !host_sysctls && let Some(detail) = host_sysctl(name, spec) {
            rules.invalid("name", name, detail);
        }
    });
}

/// What is wrong with a sysctl in a pod that shares namespaces with the host.
pub(super) fn host_sysctl(name: &str, spec: &PodSpec) -> Option<&'static str> {
    // With a slash as the first separator, slashes and dots have changed their roles.
    let swapped = name.find(['.', '/']).is_some_and(|first| name.as_bytes()[first] == b'/');
    let normal: String = name
        .chars()
        .map(|character| match character {
            '.' if swapped => '/',
            '/' if swapped => '.',
            other => other,
        })
        .collect();
    let of_ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|prefix| normal.starts_with(prefix))
        || normal == "kernel.sem";
    if spec.host_network && normal.starts_with("net.") {
        Some("may not be specified when 'hostNetwork' is true")
    } else if spec.host_ipc && of_ipc {
        Some("may not be specified when 'hostIPC' is true")
    } else {
        None
    }
}

fn is_sysctl(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            part.bytes().all(|byte| is_word(byte) || matches!(byte, b'-' | b'_'))
                && part.bytes().next().is_some_and(is_word)
                && part.bytes().last().is_some_and(is_word)
        })
}

/// The security context of a container, in a pod whose users are those of the host or not.
pub(super) fn container(rules: &mut Rules, context: &SecurityContext, host_users: bool) {
    id(rules, "runAsUser", context.run_as_user);
    id(rules, "runAsGroup", context.run_as_group);
    if let Some(mount) = &context.proc_mount {
        rules.one_of("procMount", mount.as_str(), &["Default", "Unmasked"]);
        if host_users && mount.as_str() == "Unmasked" {
            rules.invalid("procMount", mount.as_str(), "`hostUsers` must be false to use `Unmasked`");
        }
    }
    rules.option("seccompProfile", context.seccomp_profile.as_deref(), seccomp);
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            rules.invalid("", FieldValue::of(context), detail);
        }
        let added = context.capabilities.as_ref().map_or(&[][..], |capabilities| &capabilities.add);
        for _ in added.iter().filter(|name| **name == "CAP_SYS_ADMIN") {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            rules.invalid("", FieldValue::of(context), detail);
        }
    }
    rules.option("windowsOptions", context.windows_options.as_deref(), windows);
    rules.option("appArmorProfile", context.app_armor_profile.as_deref(), app_armor);
}

fn seccomp(rules: &mut Rules, profile: &SeccompProfile) {
    match profile.type_.as_str() {
        "" => rules.required("type", "type is required when seccompProfile is set"),
        name => rules.one_of("type", name, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
    let local = profile.type_.as_str() == "Localhost";
    match &profile.localhost_profile {
        Some(path) if local => local_path(rules, "localhostProfile", path),
        Some(_) => {
            let detail = "can only be set when seccomp type is Localhost";
            rules.invalid("localhostProfile", FieldValue::of(profile), detail);
        }
        None if local => rules.required("localhostProfile", "must be set when seccomp type is Localhost"),
        None => {}
    }
}

fn app_armor(rules: &mut Rules, profile: &AppArmorProfile) {
    let must_be_set = "must be set when AppArmor type is Localhost";
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Localhost", None) => rules.required("localhostProfile", must_be_set),
        ("Localhost", Some(name)) => {
            if name.trim() != name.as_str() {
                rules.invalid("localhostProfile", name, "must not be padded with whitespace");
            } else if name.is_empty() {
                rules.required("localhostProfile", must_be_set);
            }
            if name.len() > MAX_PATH {
                rules.too_long("localhostProfile", MAX_PATH);
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            rules.invalid("localhostProfile", name, "can only be set when AppArmor type is Localhost");
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => rules.required("type", "type is required when appArmorProfile is set"),
        (other, _) => rules.not_supported("type", other, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
}

fn windows(rules: &mut Rules, options: &WindowsSecurityContextOptions) {
    if let Some(name) = &options.gmsa_credential_spec_name {
        rules.complaints("gmsaCredentialSpecName", name, names::dns1123_subdomain(name));
    }
    if let Some(spec) = &options.gmsa_credential_spec {
        if spec.is_empty() {
            rules.invalid("gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string");
        } else if spec.len() > MAX_GMSA_SPEC {
            rules.invalid("gmsaCredentialSpec", spec, "gmsaCredentialSpec size must be under 64 KiB");
        }
    }
    let Some(name) = &options.run_as_user_name else {
        return;
    };
    let field = "runAsUserName";
    if name.is_empty() {
        return rules.invalid(field, name, "runAsUserName cannot be an empty string");
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return rules.invalid(field, name, "runAsUserName cannot contain control characters");
    }
    let (domain, user) = match name.split_once('\\') {
        None => (None, name.as_str()),
        Some((_, rest)) if rest.contains('\\') => {
            return rules.invalid(field, name, "runAsUserName cannot contain more than one backslash");
        }
        Some((domain, user)) => (Some(domain), user),
    };
    if domain.is_some_and(|domain| domain.len() >= MAX_WINDOWS_DOMAIN) {
        rules.invalid(field, name, "runAsUserName's Domain length must be under 256 characters");
    }
    if domain.is_some_and(|domain| !is_netbios_domain(domain) && !is_windows_dns_domain(domain)) {
        let detail = "runAsUserName's Domain doesn't match the NetBios nor the DNS format";
        rules.invalid(field, name, detail);
    }
    if user.is_empty() {
        rules.invalid(field, name, "runAsUserName's User cannot be empty");
    } else if user.len() > MAX_WINDOWS_USER {
        rules.invalid(field, name, "runAsUserName's User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|character| matches!(character, '.' | ' ')) {
        rules.invalid(field, name, "runAsUserName's User cannot contain only periods or spaces");
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        let detail = "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]";
        rules.invalid(field, name, detail);
    }
}

fn is_netbios_domain(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_windows_dns_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// What pods of an operating system cannot have.
pub(super) fn operating_system(rules: &mut Rules, spec: &PodSpec) {
    let Some(os) = spec.os.as_deref() else {
        return;
    };
    match &os.name {
        OSName::Linux => {
            let detail = "windows options cannot be set for a linux pod";
            if spec.security_context.as_ref().is_some_and(|context| context.windows_options.is_some()) {
                rules.forbidden("securityContext.windowsOptions", detail);
            }
            super::container::each(rules, spec, |rules, container| {
                if container
                    .security_context
                    .as_ref()
                    .is_some_and(|context| context.windows_options.is_some())
                {
                    rules.forbidden("securityContext.windowsOptions", detail);
                }
            });
        }
        OSName::Windows => windows_pod(rules, spec),
        name if name.is_empty() => rules.required("os.name", ""),
        name => rules.not_supported("os", name.as_str(), &["linux", "windows"]),
    }
}

fn windows_pod(rules: &mut Rules, spec: &PodSpec) {
    let detail = "cannot be set for a windows pod";
    for (field, is_set) in [
        ("hostUsers", spec.host_users.is_some()),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
        ("shareProcessNamespace", spec.share_process_namespace.is_some()),
    ] {
        if is_set {
            rules.forbidden(field, detail);
        }
    }
    rules.option("securityContext", spec.security_context.as_deref(), |rules, context| {
        for (field, is_set) in [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("fsGroup", context.fs_group.is_some()),
            ("fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
            ("sysctls", !context.sysctls.is_empty()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
            ("supplementalGroups", !context.supplemental_groups.is_empty()),
            ("supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
            ("seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
        ] {
            if is_set {
                rules.forbidden(field, detail);
            }
        }
    });
    super::container::each(rules, spec, |rules, container| {
        rules.option("securityContext", container.security_context.as_deref(), |rules, context| {
            for (field, is_set) in [
                ("appArmorProfile", context.app_armor_profile.is_some()),
                ("seLinuxOptions", context.se_linux_options.is_some()),
                ("seccompProfile", context.seccomp_profile.is_some()),
                ("capabilities", context.capabilities.is_some()),
                ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
                ("privileged", context.privileged.is_some()),
                ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
                ("procMount", context.proc_mount.is_some()),
                ("runAsUser", context.run_as_user.is_some()),
                ("runAsGroup", context.run_as_group.is_some()),
            ] {
                if is_set {
                    rules.forbidden(field, detail);
                }
            }
        });
    });
}

/// Containers that are processes of a Windows host: all of a pod or none, and in the host's network.
pub(super) fn host_process(rules: &mut Rules, spec: &PodSpec) {
    let of_pod = spec
        .security_context
        .as_ref()
        .and_then(|context| context.windows_options.as_ref())
        .and_then(|options| options.host_process);
    let (mut all, mut on_host) = (0, 0);
    super::container::each(rules, spec, |rules, container| {
        let own = container
            .security_context
            .as_ref()
            .and_then(|context| context.windows_options.as_ref())
            .and_then(|options| options.host_process);
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && of_pod != own
        {
            let detail =
                format!("pod hostProcess value must be identical if both are specified, was {of_pod}");
            rules.invalid("securityContext.windowsOptions.hostProcess", own, detail);
        }
        all += 1;
        on_host += i32::from(own.or(of_pod) == Some(true));
    });
    if on_host == 0 {
        return;
    }
    if on_host != all {
        let detail =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        rules.invalid("", "", detail);
    }
    if !spec.host_network {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        rules.invalid("hostNetwork", false, detail);
    }
}
