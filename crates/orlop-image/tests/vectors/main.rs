//! Vector family of the names of images and the credentials for them.
//!
//! What is asked before an image is pulled (`precheck`) is a decision of the node, and its crate has these cases.

use std::collections::BTreeMap;
use std::process::ExitCode;

use base64::Engine as _;
use orlop_image::{CredentialError, Keyring, Reference, location_matches, with_default_tag};
use orlop_model::vectors::{self, Case, Check, Family};
use serde_json::{Value, json};

fn image_ref(case: &Case) -> Result<(), String> {
    match case.op.as_str() {
        "parse" => parse(case),
        "urlMatch" => url_match(case),
        "credentials" => credentials(case),
        other => Err(format!("unknown operation {other}")),
    }
}

fn parse(case: &Case) -> Result<(), String> {
    let image = case.value["in"]["image"].as_str().ok_or("no image")?;
    let mut check = Check::new();
    let read = Reference::parse(image);
    let policy = if read.as_ref().is_ok_and(Reference::is_latest) { "Always" } else { "IfNotPresent" };
    check.eq("defaultPullPolicy", case.text("defaultPullPolicy"), policy);
    match read {
        Ok(reference) => {
            let got = json!({
                "repository": reference.repository(),
                "tag": reference.tag().unwrap_or_default(),
                "digest": reference.digest().map_or("", |digest| digest.as_str()),
                "withDefaultTag": with_default_tag(image).map_err(|error| error.to_string())?,
            });
            check.json("out", &case.value["out"], &got);
        }
        Err(error) => check.eq("error", case.text("error"), error.to_string().as_str()),
    }
    check.finish()
}

fn url_match(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let got = location_matches(text("glob"), text("target"));
    let mut check = Check::new();
    // The texts are those of Go's URL parser.
    check.eq("error", &!case.text("error").is_empty(), &got.is_err());
    check.eq("out", &case.value["out"].as_bool(), &got.ok());
    check.finish()
}

fn credentials(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    match try_credentials(&case.value["in"])? {
        Ok(got) => check.json("out", &case.value["out"], &got),
        Err(error) => {
            let texts_are_ours =
                matches!(error, CredentialError::NoColon { .. } | CredentialError::NodeConfig(_));
            let want = case.text("error");
            if texts_are_ours || want.is_empty() {
                check.eq("error", want, error.to_string().as_str());
            }
        }
    }
    check.finish()
}

fn try_credentials(input: &Value) -> Result<Result<Value, CredentialError>, String> {
    let (mut node, mut secrets) = (Keyring::new(), Keyring::new());
    if let Err(error) = node.add_node_config(input["nodeConfig"].to_string().as_bytes()) {
        return Ok(Err(error));
    }
    for secret in input["pullSecrets"].as_array().into_iter().flatten() {
        let mut data = BTreeMap::new();
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            let value = base64::engine::general_purpose::STANDARD
                .decode(value.as_str().unwrap_or_default())
                .map_err(|error| error.to_string())?;
            data.insert(key.clone(), value);
        }
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        if let Err(error) = secrets.add_secret(name, secret["type"].as_str().unwrap_or_default(), &data) {
            return Ok(Err(error));
        }
    }
    let image = input["image"].as_str().unwrap_or_default();
    let repository = Reference::parse(image).map_err(|error| error.to_string())?.repository();
    let found: Vec<Value> = [&secrets, &node]
        .into_iter()
        .flat_map(|keys| keys.lookup(&repository))
        .map(|found| {
            let mut shown =
                json!({"username": found.username, "password": found.password, "source": found.source});
            if !found.email.is_empty() {
                shown["email"] = found.email.as_str().into();
            }
            shown
        })
        .collect();
    Ok(Ok(json!({"found": !found.is_empty(), "repository": repository, "credentials": found})))
}

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[Family::new("image_ref", image_ref).without(&["precheck"])],
    )
}
