//! Cases with the answers of the CNI project's own library; see `orlop_model::vectors`.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::process::ExitCode;

use orlop_cni::name::{self, ArgumentNames};
use orlop_cni::skel::{Call, Skeleton, dispatch};
use orlop_cni::version::{self, Version, VersionError};
use orlop_cni::{CniError, NetworkList, PluginConfig, VersionedResult, code};
use orlop_model::vectors::{self, Case, Check, Family};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    vectors::run(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"), &[Family::new("cni_result", run)])
}

fn run(case: &Case) -> Result<(), String> {
    match case.op.as_str() {
        "convert" => convert(case),
        "conflist" => conflist(case),
        "buildConfig" => build_config(case),
        "pluginconf" => {
            answer(case, PluginConfig::from_json(&case.value["in"]["plugin"]).map(|_| Value::Null))
        }
        "versions" => versions(case),
        "names" => names(case),
        "skel" => skel(case),
        other => Err(format!("no such function: {other}")),
    }
}

/// Whether there is an error must agree; without one the answer must.
fn answer<E: std::fmt::Display>(case: &Case, got: Result<Value, E>) -> Result<(), String> {
    let mut check = Check::new();
    match (case.value.get("error"), got) {
        (Some(_), Err(_)) => {}
        (Some(wanted), Ok(got)) => return Err(format!("wanted the error {wanted}, got {got}")),
        (None, Err(error)) => return Err(format!("wanted {}, got the error {error}", case.value["out"])),
        (None, Ok(got)) => check.eq("out", &case.value["out"], &got),
    }
    check.finish()
}

fn text<'a>(case: &'a Case, name: &str) -> &'a str {
    case.value["in"][name].as_str().unwrap_or_default()
}

fn convert(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    let declared = version::declared(text(case, "resultText")).ok();
    check.eq(
        "decodedVersion",
        &case.value.get("decodedVersion").and_then(Value::as_str),
        &declared.as_deref(),
    );
    check.finish()?;
    let parsed = VersionedResult::parse(text(case, "version"), text(case, "resultText"));
    let all = parsed.map(|parsed| {
        let targets = case.value["out"]["as"].as_object().into_iter().flatten().map(|(target, wanted)| {
            let version = if target == "empty" { "" } else { target };
            let got = match parsed.clone().convert(version) {
                Ok(result) => json!({"result": result.to_json()}),
                // The texts of these errors are not compared.
                Err(_) if wanted.get("error").is_some() => wanted.clone(),
                Err(error) => json!({"error": error.to_string()}),
            };
            (target.clone(), got)
        });
        json!({"parsed": parsed.to_json(), "version": parsed.version(), "as": targets.collect::<Map<_, _>>()})
    });
    answer(case, all)
}

fn conflist(case: &Case) -> Result<(), String> {
    let list = NetworkList::parse(text(case, "text"));
    let told = list.map(|list| {
        let plugins: Vec<Value> = list
            .plugins
            .iter()
            .map(|plugin| {
                let mut told = json!({
                    "type": plugin.plugin_type,
                    "name": plugin.name,
                    "cniVersion": plugin.cni_version,
                    "ipamType": plugin.ipam_type,
                    "bytes": plugin.json,
                });
                if !plugin.capabilities.is_empty() {
                    told["capabilities"] = json!(plugin.capabilities);
                }
                told
            })
            .collect();
        json!({
            "name": list.name,
            "cniVersion": list.cni_version,
            "disableCheck": list.disable_check,
            "disableGC": list.disable_gc,
            "loadOnlyInlinedPlugins": list.load_only_inlined_plugins,
            "plugins": plugins,
        })
    });
    answer(case, told)
}

fn build_config(case: &Case) -> Result<(), String> {
    let list = NetworkList {
        name: text(case, "name").to_owned(),
        cni_version: text(case, "cniVersion").to_owned(),
        ..NetworkList::default()
    };
    let input = &case.value["in"];
    let capabilities = input["capabilityArgs"].as_object().cloned().unwrap_or_default();
    let previous = input.get("prevResult").filter(|result| !result.is_null()).cloned();
    let config = PluginConfig::from_json(&input["plugin"])
        .map(|plugin| list.config_for(&plugin, &capabilities, previous));
    answer(case, config)
}

fn versions(case: &Case) -> Result<(), String> {
    let (a, b, out) = (text(case, "a"), text(case, "b"), &case.value["out"]);
    let or_error = |result: Result<Value, String>| result.unwrap_or_else(|error| json!({"error": error}));
    let compared = |result: Result<bool, VersionError>| {
        or_error(result.map(Into::into).map_err(|error| error.to_string()))
    };
    let parse = Version::parse(a)
        .map(|version| json!({"major": version.major, "minor": version.minor, "micro": version.micro}))
        .map_err(|error| error.to_string());
    let supported: Vec<String> = case.value["in"]["supported"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|version| version.as_str().map(ToOwned::to_owned))
        .collect();
    let mut check = Check::new();
    check.eq("parse", &out["parse"], &or_error(parse));
    check.eq("greaterThan", &out["greaterThan"], &compared(version::greater_than(a, b)));
    check.eq("greaterThanOrEqual", &out["greaterThanOrEqual"], &compared(version::at_least(a, b)));
    let compatible = version::compatible(a, &supported)
        .map(|()| true.into())
        .map_err(|error| format!("{}: {}", error.msg, error.details));
    check.eq("compatible", &out["compatible"], &or_error(compatible));
    let reply = match (version::supported_by(text(case, "versionReply")), out["versionReply"].get("error")) {
        (Err(_), Some(_)) => out["versionReply"].clone(),
        (reply, _) => {
            or_error(reply.map(|list| json!({"supportedVersions": list})).map_err(|error| error.to_string()))
        }
    };
    check.eq("versionReply", &out["versionReply"], &reply);
    check.finish()
}

fn names(case: &Case) -> Result<(), String> {
    let (name, out) = (text(case, "name"), &case.value["out"]);
    let told = |result: Result<(), CniError>| result.map_or_else(|error| json!(error), |()| true.into());
    let known = ArgumentNames::new().text("K8S_POD_NAME").flag("FLAG");
    let arguments = match known.read(text(case, "args")) {
        Ok(arguments) => json!({
            "IgnoreUnknown": arguments.flag("IgnoreUnknown"),
            "K8S_POD_NAME": arguments.text("K8S_POD_NAME"),
            "FLAG": arguments.flag("FLAG"),
        }),
        Err(error) => json!({"error": error.to_string()}),
    };
    let mut check = Check::new();
    check.eq("containerID", &out["containerID"], &told(name::container_id(name)));
    check.eq("networkName", &out["networkName"], &told(name::network(name)));
    check.eq("interfaceName", &out["interfaceName"], &told(name::interface(name)));
    check.eq("args", &out["args"], &arguments);
    check.finish()
}

/// An error around another.
#[derive(Debug)]
struct Wrapped(CniError);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "outer: {}", self.0.msg)
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn skel(case: &Case) -> Result<(), String> {
    let (input, out) = (&case.value["in"], &case.value["out"]);
    let called = RefCell::new(String::new());
    let serve = |call: &Call| {
        *called.borrow_mut() = call.command.to_string();
        let cni = |key: &str| {
            input.get(key).and_then(|error| serde_json::from_value::<CniError>(error.clone()).ok())
        };
        if let Some(error) = input.get("callbackError").and_then(Value::as_str) {
            return Err(error.into());
        }
        if let Some(error) = cni("callbackCniError") {
            return Err(error.into());
        }
        if let Some(error) = cni("callbackWrappedCniError") {
            return Err(Wrapped(error).into());
        }
        Ok(String::new())
    };
    let supported: Vec<&str> =
        input["supportedVersions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let with_all = input.get("withoutCheckGCStatus") != Some(&true.into());
    let plugin = Skeleton {
        about: text(case, "about"),
        supported: &supported,
        add: Some(&serve),
        del: Some(&serve),
        check: with_all.then_some(&serve),
        gc: with_all.then_some(&serve),
        status: with_all.then_some(&serve),
    };
    let env = |name: &str| input["env"].get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let own = |path: &str| path == "/proc/self/ns/net";
    let got = dispatch(&plugin, env, text(case, "stdin").as_bytes(), own);

    let mut check = Check::new();
    check.eq("called", &out["called"].as_str(), &Some(called.borrow().as_str()));
    match (out.get("error"), got) {
        (Some(wanted), Ok(_)) => return Err(format!("wanted the error {wanted}, got none")),
        (Some(wanted), Err(got)) => {
            check.eq("code", &wanted["code"].as_u64(), &Some(got.code.into()));
            if got.code != code::DECODE {
                check.eq("error", wanted, &json!(got));
            }
        }
        (None, Err(got)) => return Err(format!("wanted no error, got {got}")),
        (None, Ok(got)) => {
            check.eq("stderr", &out["stderr"].as_str(), &Some(got.stderr.as_str()));
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
            let wanted = out["stdout"].as_str().unwrap_or_default();
            check.eq("stdout", &read(wanted), &read(&got.stdout));
            check.eq("end of stdout", &wanted.ends_with('\n'), &got.stdout.ends_with('\n'));
        }
    }
    check.finish()
}
