//! [`carry_out`]: makes the changes of a plan and tells its events.

use futures::future::join_all;
use orlop_client::{
    Client, DeleteOptions, Draft, Error, Patch, Preconditions, Propagation, Result, Subresource, WriteOptions,
};
use orlop_model::meta::v1::DeletionPropagation;
use orlop_model::{Object, StaticKind, Str};
use orlop_planners::{
    Change, Create, Delete, EventDraft, Group, Occasion, OnExists, PatchChange, PatchType, Plan,
    PlannedObject, Visit, slow_start,
};

/// Who tells events about an object; see [`carry_out`].
pub(crate) trait Tell {
    /// Tells `event` with this text.
    async fn tell(&self, event: &EventDraft, text: String);
}

/// What became of a change.
enum Outcome {
    /// It was made; for a create, the name of the object.
    Made(Str),
    /// It was not needed: the object was there or gone already.
    Unneeded,
    /// It failed.
    Failed(Error),
    /// The name is taken: other changes were made instead.
    Replaced(Error),
}

/// Makes the changes of `plan` in order, runs of equal ones at once, and tells its events; stops at the first change
/// that fails, after the run it belongs to.
///
/// # Errors
/// The first failure with the place of its change, so that the planner can say what to write about it.
pub(crate) async fn carry_out<M>(
    client: &dyn Client,
    teller: &impl Tell,
    plan: &Plan<M>,
    manager: &str,
) -> Result<(), (usize, Error)> {
    for event in plan.events.iter().filter(|event| event.occasion == Occasion::Planned) {
        teller.tell(event, event.text("")).await;
    }
    let mut place = 0;
    for (group, changes) in plan.groups() {
        let batches: Vec<usize> = match group {
            Group::SlowStart => slow_start(changes.len()).collect(),
            Group::One | Group::Parallel => vec![changes.len()],
        };
        for batch in batches {
            let outcomes =
                join_all((place..place + batch).map(|index| make(client, &plan.changes[index], manager)))
                    .await;
            let mut failure = None;
            for (index, outcome) in (place..).zip(outcomes) {
                tell_outcome(teller, plan, index, &outcome).await;
                if let Outcome::Failed(error) | Outcome::Replaced(error) = outcome {
                    failure.get_or_insert((index, error));
                }
            }
            place += batch;
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
    }
    Ok(())
}

async fn tell_outcome<M>(teller: &impl Tell, plan: &Plan<M>, index: usize, outcome: &Outcome) {
    for event in &plan.events {
        let text = match (event.occasion, outcome) {
            (Occasion::Success(place), Outcome::Made(_)) if place == index => event.text(""),
            (Occasion::Created(place), Outcome::Made(name)) if place == index => event.text(name),
            (Occasion::Failure(place), Outcome::Failed(error)) if place == index => {
                event.text(&error.to_string())
            }
            _ => continue,
        };
        teller.tell(event, text).await;
    }
}

async fn make(client: &dyn Client, change: &Change, manager: &str) -> Outcome {
    let options = WriteOptions::by(manager);
    let result = match change {
        Change::Create(wanted) => return create(client, wanted, &options).await,
        Change::Update(object) => update(client, object, Subresource::Main, &options).await,
        Change::UpdateStatus(object) => update(client, object, Subresource::Status, &options).await,
        Change::Patch(wanted) => patch(client, wanted, &options).await,
        Change::Delete(wanted) => delete(client, wanted).await,
    };
    match (result, change) {
        (Ok(()), _) => Outcome::Made(Str::EMPTY),
        (Err(error), Change::Delete(_)) if error.is_not_found() => Outcome::Unneeded,
        (Err(error), Change::Patch(wanted)) if wanted.ignore_missing && error.is_not_found() => {
            Outcome::Unneeded
        }
        (Err(error), _) => Outcome::Failed(error),
    }
}

async fn create(client: &dyn Client, wanted: &Create, options: &WriteOptions) -> Outcome {
    let kind = wanted.object.kind();
    let created = client.create(kind, wanted.namespace.as_deref(), draft(&wanted.object), options).await;
    match (created, &wanted.on_exists) {
        (Ok(record), _) => Outcome::Made(record.meta().name.clone()),
        (Err(error), OnExists::Ignore) if error.is_already_exists() => Outcome::Unneeded,
        (Err(error), OnExists::Instead(changes)) if error.is_already_exists() => {
            for change in changes {
                if let Outcome::Failed(error) = Box::pin(make(client, change, &options.field_manager)).await {
                    return Outcome::Failed(error);
                }
            }
            Outcome::Replaced(error)
        }
        (Err(error), _) => Outcome::Failed(error),
    }
}

async fn update(
    client: &dyn Client,
    object: &PlannedObject,
    part: Subresource,
    options: &WriteOptions,
) -> Result<()> {
    client.update(object.kind(), &object.key(), part, draft(object), options).await.map(drop)
}

async fn patch(client: &dyn Client, wanted: &PatchChange, options: &WriteOptions) -> Result<()> {
    let part = if wanted.status { Subresource::Status } else { Subresource::Main };
    let document = wanted.document.clone();
    let patch = match wanted.type_ {
        PatchType::Merge => Patch::Merge(document),
        PatchType::Strategic => Patch::Strategic(document),
    };
    client.patch(&wanted.kind, &wanted.key, part, patch, options).await.map(drop)
}

async fn delete(client: &dyn Client, wanted: &Delete) -> Result<()> {
    let preconditions = wanted.preconditions.as_ref().map(|wanted| Preconditions {
        uid: wanted.uid.clone(),
        resource_version: wanted.resource_version.clone(),
    });
    let options = DeleteOptions {
        grace: wanted.grace_period_seconds,
        propagation: wanted.propagation.as_ref().map(propagation),
        preconditions: preconditions.unwrap_or_default(),
        dry_run: false,
    };
    client.delete(&wanted.kind, &wanted.key, &options).await.map(drop)
}

fn propagation(wanted: &DeletionPropagation) -> Propagation {
    match wanted {
        DeletionPropagation::Foreground => Propagation::Foreground,
        DeletionPropagation::Orphan => Propagation::Orphan,
        DeletionPropagation::Background | DeletionPropagation::Other(_) => Propagation::Background,
    }
}

/// The object as it is sent: shared, not copied.
fn draft(object: &PlannedObject) -> Draft {
    struct ToDraft;
    impl Visit for ToDraft {
        type Output = Draft;
        fn visit<K: StaticKind + Object>(self, object: &std::sync::Arc<K>) -> Draft {
            Draft::of(std::sync::Arc::clone(object))
        }
    }
    object.visit(ToDraft)
}
