//! Family `deployment_rollout`: arithmetic, status, and whole syncs of a Deployment.

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::IntOrString;
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::core::v1::{Pod, PodTemplateSpec};
use orlop_model::vectors::{Case, Check};
use orlop_planners::deployment::{self, Children, Revisions};
use orlop_planners::{Change, OnExists, Plan, PlanError, template};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    deployment: Deployment,
    #[serde(default)]
    replica_sets: Option<Vec<Arc<ReplicaSet>>>,
    #[serde(default)]
    pods: Option<Vec<Arc<Pod>>>,
    replicas_to_add: Option<i32>,
    replicas_added: Option<i32>,
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    match case.op.as_str() {
        "resolveFenceposts" => fenceposts(case),
        "calc" => calc(case),
        "hash" => hash(case),
        "status" => status(case),
        "sync" => sync(case),
        other => Err(format!("unknown operation {other:?}")),
    }
}

fn now(case: &Case) -> Result<Timestamp, String> {
    case.text("now").parse().map_err(|error: jiff::Error| error.to_string())
}

fn fenceposts(case: &Case) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bounds {
        max_surge: Option<IntOrString>,
        max_unavailable: Option<IntOrString>,
        desired: i32,
    }
    let Bounds { max_surge, max_unavailable, desired } = case.get("in")?;
    let resolved = deployment::resolve_fenceposts(max_surge.as_ref(), max_unavailable.as_ref(), desired);
    let got = match resolved {
        Ok(posts) => json!({"surge": posts.surge, "unavailable": posts.unavailable}),
        Err(error) => json!({"error": error.to_string()}),
    };
    let mut check = Check::new();
    check.json("out", &case.value["out"], &got);
    check.finish()
}

fn calc(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let (deployment, sets) = (input.deployment, input.replica_sets.unwrap_or_default());
    let name = |set: &ReplicaSet| set.metadata.name.to_string();
    let revisions = Revisions::of(&deployment, &sets);
    let old = || revisions.old.iter().map(|set| &**set);
    let total = deployment::total_replicas(revisions.all().map(|set| &**set));
    let old_with_pods: Vec<_> = old().filter(|set| set.spec.replicas.unwrap_or(1) != 0).map(name).collect();
    let mut got = json!({
        "maxSurge": deployment::max_surge(&deployment),
        "maxUnavailable": deployment::max_unavailable(&deployment),
        "minAvailable": deployment::min_available(&deployment),
        "maxRevisionOld": deployment::max_revision(old()),
        "lastRevisionOld": deployment::last_revision(old()),
        "totalReplicas": total,
        "oldRS": old().map(name).collect::<Vec<_>>(),
        "oldRSWithPods": old_with_pods,
    });
    if let Some(new) = &revisions.new {
        let current = new.spec.replicas.unwrap_or(1);
        let size = deployment::new_set_replicas(&deployment, total, current);
        got["newRS"] = name(new).into();
        got["newRSNewReplicas"] = size.map_err(|error| error.to_string())?.into();
        got["saturated"] = deployment::is_saturated(&deployment, new).into();
    }
    if let Some(set) = revisions.active_or_latest() {
        got["activeOrLatest"] = name(set).into();
    }
    let (to_add, added) = (input.replicas_to_add.unwrap_or(0), input.replicas_added.unwrap_or(0));
    let shares = sets.iter().map(|set| deployment::proportion(set, &deployment, to_add, added));
    got["proportions"] = shares.collect::<Vec<_>>().into();

    // Absent, null, an empty list and false are the same answer here.
    let said = |value: &Value| {
        let fields = value.as_object().into_iter().flatten();
        let said =
            fields.filter(|(_, field)| !field.is_null() && **field != json!([]) && **field != json!(false));
        Value::Object(said.map(|(key, field)| (key.clone(), field.clone())).collect::<Map<_, _>>())
    };
    let mut check = Check::new();
    check.json("out", &said(&case.value["out"]), &said(&got));
    check.finish()
}

/// The value of the hash is our own; what counts is which templates are equal.
fn hash(case: &Case) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Templates {
        template: PodTemplateSpec,
        template2: PodTemplateSpec,
        collision_count: Option<i32>,
    }
    let Templates { template, template2, collision_count } = case.get("in")?;
    let hash = |template| template::template_hash(template, collision_count);
    let want = case.value["out"]["equalIgnoreHash"].as_bool();
    let mut check = Check::new();
    check.eq("equal", &want, &Some(template::same_template(&template, &template2)));
    if want == Some(false) {
        check.eq("hashes of unequal templates differ", &true, &(hash(&template) != hash(&template2)));
    }
    check.finish()
}

fn status(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let (deployment, sets) = (input.deployment, input.replica_sets.unwrap_or_default());
    let now = now(case)?;
    let revisions = Revisions::of(&deployment, &sets);
    let status = deployment::status(&deployment, &sets, revisions.new.as_deref(), now);
    let out = &case.value["out"];
    let mut check = Check::new();
    let got = serde_json::to_value(&status).map_err(|error| error.to_string())?;
    check.object("status", &out["status"], &got);
    let complete = deployment::is_complete(&deployment, &status);
    check.eq("complete", &out["complete"].as_bool(), &Some(complete));
    let progressing = deployment::is_progressing(&deployment, &status);
    check.eq("progressing", &out["progressing"].as_bool(), &Some(progressing));
    let timed_out = deployment::is_timed_out(&deployment, &status, now);
    check.eq("timedOut", &out["timedOut"].as_bool(), &Some(timed_out));
    check.finish()
}

fn sync(case: &Case) -> Result<(), String> {
    let own = with_own_hashes(&case.value)?;
    let input = Input::deserialize(&own["in"]).map_err(|error| error.to_string())?;
    let (mut sets, mut pods) = (input.replica_sets.unwrap_or_default(), input.pods.unwrap_or_default());
    let mut check = Check::new();
    // No answer depends on the order of the input.
    for _ in 0..2 {
        let children = Children { replica_sets: &sets, pods: &pods };
        let plan = deployment::plan(&input.deployment, &children, now(case)?);
        let error = plan.error.as_ref().map(ToString::to_string);
        check.eq("error", &own["error"].as_str().map(str::to_owned), &error);
        let wanted = own["actions"].as_array().cloned().unwrap_or_default();
        let got = super::actions::actions(&carried_out(plan))?;
        super::actions::compare(&mut check, &wanted, &got, false);
        sets.reverse();
        pods.reverse();
    }
    check.finish()
}

/// The plan as the API of the cases lets it go: a name that is taken stops it.
fn carried_out(mut plan: Plan) -> Plan {
    if let Some(PlanError::NameTaken { .. }) = plan.error
        && let Some(Change::Create(create)) = plan.changes.last()
        && let OnExists::Instead(instead) = create.on_exists.clone()
    {
        plan.changes.extend(instead);
    }
    plan
}

/// The case with the hashes of created ReplicaSets replaced by ours, everywhere: their values are not comparable
/// (they depend on the layout of Go structs), their places are.
fn with_own_hashes(case: &Value) -> Result<Value, String> {
    let mut text = case.to_string();
    let created = case["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|action| action["verb"] == "create" && action["resource"] == "replicasets");
    for action in created {
        let object = &action["object"];
        let Some(hash) = object["metadata"]["labels"][template::POD_TEMPLATE_HASH].as_str() else {
            return Err("a created ReplicaSet without hash".to_owned());
        };
        let mut template =
            PodTemplateSpec::deserialize(&object["spec"]["template"]).map_err(|error| error.to_string())?;
        template.metadata.labels.remove(template::POD_TEMPLATE_HASH);
        let count = case["in"]["deployment"]["status"]["collisionCount"].as_i64();
        let own = template::template_hash(&template, count.map(|count| count as i32));
        // Keeps other sets apart that have the same hash in their name for another reason.
        text = text.replace(&format!("{hash}\""), &format!("{own}\""));
        text = text.replace(&format!("{hash}\\\""), &format!("{own}\\\""));
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}
