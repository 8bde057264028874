//! Seccomp profiles in files, in the form of the OCI's runtime specification (`linux.seccomp`).

use orlop_container::seccomp::{Action, Condition, Operator, Profile, Rule};
use serde::Deserialize;

/// Bytes of a file that are read.
pub(crate) const MAX_FILE: u64 = 512 << 10;
/// `EPERM`, if a profile says no other error.
const EPERM: u16 = 1;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ProfileError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{field}: {value:?} is not supported")]
    Value { field: &'static str, value: String },
    #[error("syscalls[].{field} is not supported")]
    Field { field: &'static str },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    default_action: String,
    default_errno_ret: Option<u16>,
    #[serde(default)]
    syscalls: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    names: Vec<String>,
    action: String,
    errno_ret: Option<u16>,
    args: Option<Vec<Arg>>,
    includes: Option<serde_json::Value>,
    excludes: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arg {
    index: u8,
    #[serde(default)]
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

/// Reads a profile.
///
/// # Errors
/// See [`ProfileError`].
pub(crate) fn parse(text: &[u8]) -> Result<Profile, ProfileError> {
    let file: File = serde_json::from_slice(text)?;
    let default = action("defaultAction", &file.default_action, file.default_errno_ret)?;
    let rules = file.syscalls.into_iter().map(rule).collect::<Result<_, _>>()?;
    Ok(Profile { default, rules })
}

fn rule(group: Group) -> Result<Rule, ProfileError> {
    // Docker's conditions on capabilities and architectures; a rule without them would be another one.
    let says = |value: &Option<serde_json::Value>| {
        value.as_ref().is_some_and(|value| value.as_object().is_none_or(|object| !object.is_empty()))
    };
    for (field, value) in [("includes", &group.includes), ("excludes", &group.excludes)] {
        if says(value) {
            return Err(ProfileError::Field { field });
        }
    }
    let action = action("syscalls[].action", &group.action, group.errno_ret)?;
    let args = group.args.unwrap_or_default();
    let conditions = args.iter().map(condition).collect::<Result<_, _>>()?;
    Ok(Rule { syscalls: group.names, action, conditions })
}

fn action(field: &'static str, name: &str, errno: Option<u16>) -> Result<Action, ProfileError> {
    Ok(match name {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_ERRNO" => Action::Errno(errno.unwrap_or(EPERM)),
        "SCMP_ACT_TRAP" => Action::Trap,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
        "SCMP_ACT_KILL_PROCESS" => Action::KillProcess,
        other => return Err(ProfileError::Value { field, value: other.to_owned() }),
    })
}

fn condition(arg: &Arg) -> Result<Condition, ProfileError> {
    let (operator, value) = match arg.op.as_str() {
        "SCMP_CMP_EQ" => (Operator::Equal, arg.value),
        "SCMP_CMP_NE" => (Operator::NotEqual, arg.value),
        "SCMP_CMP_LT" => (Operator::Less, arg.value),
        "SCMP_CMP_LE" => (Operator::LessOrEqual, arg.value),
        "SCMP_CMP_GT" => (Operator::Greater, arg.value),
        "SCMP_CMP_GE" => (Operator::GreaterOrEqual, arg.value),
        // The mask comes first.
        "SCMP_CMP_MASKED_EQ" => (Operator::Masked(arg.value), arg.value_two),
        other => {
            return Err(ProfileError::Value { field: "syscalls[].args[].op", value: other.to_owned() });
        }
    };
    Ok(Condition { argument: arg.index, operator, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read() {
        let text = br#"{
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [
                {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "includes": {}},
                {"names": ["clone"], "action": "SCMP_ACT_ERRNO",
                 "args": [{"index": 0, "value": 7, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}
            ]}"#;
        let masked = Condition { argument: 0, operator: Operator::Masked(7), value: 1 };
        let wanted = Profile {
            default: Action::Allow,
            rules: vec![
                Rule {
                    syscalls: vec!["mkdir".into(), "mkdirat".into()],
                    action: Action::Errno(38),
                    conditions: vec![],
                },
                Rule { syscalls: vec!["clone".into()], action: Action::Errno(1), conditions: vec![masked] },
            ],
        };
        assert_eq!(parse(text).unwrap(), wanted);
        for (bad, part) in [
            (r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, "defaultAction: \"SCMP_ACT_NOTIFY\""),
            (r#"{"syscalls": []}"#, "defaultAction"),
            (
                r#"{"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_KILL", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}"#,
                "includes",
            ),
            ("no", "expected"),
        ] {
            let error = parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
