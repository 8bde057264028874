//! Getting and listing objects.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orlop_client::{
    Cause, Error, GetOptions, ListOptions, Record, RecordList, ResourceVersionMatch, Result, Subresource,
};
use orlop_model::{FieldError, KindInfo, ObjectKey, Str};
use orlop_store::{At, Key, KeyRange, Page, Revision};
use serde::{Deserialize, Serialize};

use crate::local::LocalClient;
use crate::resource::Resource;
use crate::selection::Selection;
use crate::server::store_error;

/// How long a read waits for a revision that is not reached yet.
const FUTURE_REVISION: Duration = Duration::from_secs(3);

/// How many records are looked at in one go where selectors leave few of them.
const BATCH: usize = 500;

const EXPIRED_LIST: &str = "The resourceVersion for the provided list is too old.";
const EXPIRED_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
     the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided \
     token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and \
     now may show up in the list.";

impl LocalClient {
    pub(crate) async fn get_object(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Arc<Record>> {
        let resource = self.server.scheme.resource(kind)?;
        self.wait_for(&options.resource_version).await?;
        match &options.subresource {
            Subresource::Main => {}
            Subresource::Status if kind.status => {}
            Subresource::Scale => return self.get_scale(kind, key).await,
            other => {
                return Err(Error::unsupported(format!(
                    "{} have no subresource {other} that can be read",
                    kind.resource()
                )));
            }
        }
        Ok(self.server.load(&**resource, key).await?.record)
    }

    pub(crate) async fn list_objects(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        let resource = self.server.scheme.resource(kind)?;
        let selection = Selection::parse(resource, &options.labels, &options.fields)?;
        check(kind, options)?;
        let range = range(&**resource, namespace, &selection);
        let prefix = resource.prefix();

        let (at, after) = if options.continue_.is_empty() {
            (self.at(options).await?, None)
        } else {
            let token = Token::decode(&options.continue_)?;
            // A negative revision: go on at the latest state, at the price of consistency.
            let at = u64::try_from(token.rv).map_or(At::Latest, |revision| At::Exactly(Revision(revision)));
            (at, Some(Key::from(format!("{prefix}{}", token.after()))))
        };
        let page = self.collect(&**resource, &range, at, after, options.limit, &selection).await;
        page.map(|found| found.into_list(&prefix, selection.is_everything())).map_err(|error| match error {
            Error::Expired { .. } if options.continue_.is_empty() => Error::expired(EXPIRED_LIST),
            Error::Expired { .. } => {
                let continue_ = Token::decode(&options.continue_)
                    .map(|token| Token { rv: -1, ..token }.encode())
                    .unwrap_or_default();
                Error::Expired { message: EXPIRED_CONTINUE.to_owned(), continue_ }
            }
            error => error,
        })
    }

    /// The selected records of one state, at most `limit` (0: all).
    pub(crate) async fn collect(
        &self,
        resource: &dyn Resource,
        range: &KeyRange,
        mut at: At,
        mut after: Option<Key>,
        limit: usize,
        selection: &Selection,
    ) -> Result<Found> {
        let mut found = Found { items: Vec::new(), revision: Revision::ZERO, last: None, remaining: 0 };
        loop {
            let wanted = match limit {
                0 => None,
                limit if selection.is_everything() => Some(limit),
                limit => Some(limit.max(BATCH)),
            };
            let page = Page { limit: wanted, after: after.take() };
            let listing = self.server.store.list(range, at, page).await.map_err(store_error)?;
            found.revision = listing.revision;
            found.remaining = listing.remaining;
            found.items.reserve(if selection.is_everything() { listing.records.len() } else { 0 });
            let count = listing.records.len();
            for (index, stored) in listing.records.iter().enumerate() {
                let record = self.server.record(resource, stored)?;
                if record.object().is_some_and(|object| selection.selects(&**object)) {
                    found.items.push(record);
                    found.last = Some(stored.key.clone());
                }
                if limit != 0 && found.items.len() == limit {
                    found.remaining += (count - index - 1) as u64;
                    return Ok(found);
                }
            }
            match listing.next() {
                Some(next) => (at, after) = (At::Exactly(listing.revision), Some(next.clone())),
                None => return Ok(found),
            }
        }
    }

    async fn at(&self, options: &ListOptions) -> Result<At> {
        let Some(revision) = parse_version(&options.resource_version)? else {
            return Ok(At::Latest);
        };
        let exact = match options.match_ {
            Some(ResourceVersionMatch::Exact) => true,
            Some(ResourceVersionMatch::NotOlderThan) => false,
            // What a limit means without saying: the pages of exactly that state.
            None => options.limit > 0 && revision > Revision::ZERO,
        };
        self.wait_for(&options.resource_version).await?;
        Ok(if exact { At::Exactly(revision) } else { At::Latest })
    }

    /// Waits a moment for a revision that the store has not reached.
    pub(crate) async fn wait_for(&self, version: &str) -> Result<()> {
        let Some(revision) = parse_version(version)? else {
            return Ok(());
        };
        let store = &self.server.store;
        let current = store.revision().await.map_err(store_error)?;
        if revision <= current {
            return Ok(());
        }
        match tokio::time::timeout(FUTURE_REVISION, store.reached(revision)).await {
            Ok(reached) => reached.map(drop).map_err(store_error),
            Err(_) => Err(Error::TooLargeResourceVersion {
                wanted: version.into(),
                current: store.revision().await.map_err(store_error)?.to_string().into(),
            }),
        }
    }
}

/// Where the selected objects can be: one key if their name is given.
pub(crate) fn range(resource: &dyn Resource, namespace: Option<&str>, selection: &Selection) -> KeyRange {
    let namespace = namespace
        .or_else(|| selection.only_value("metadata.namespace"))
        .filter(|_| resource.kind().is_namespaced());
    match (resource.kind().is_namespaced(), namespace, selection.only_value("metadata.name")) {
        (true, Some(namespace), Some(name)) => KeyRange::single(resource.store_key(namespace, name)),
        (false, _, Some(name)) => KeyRange::single(resource.store_key("", name)),
        _ => resource.store_range(namespace),
    }
}

/// A resourceVersion as clients send it; empty means none.
pub(crate) fn parse_version(version: &str) -> Result<Option<Revision>> {
    if version.is_empty() {
        return Ok(None);
    }
    version.parse().map(Some).map_err(|_| {
        Error::bad_request(format!("Invalid value: {version:?}: resource version must be a decimal number"))
    })
}

/// The rules for which options go together (apimachinery, `ValidateListOptions`).
fn check(kind: &KindInfo, options: &ListOptions) -> Result<()> {
    let forbidden = |detail: &str| FieldError::forbidden("resourceVersionMatch", detail);
    let mut errors: Vec<Cause> = Vec::new();
    match options.match_ {
        Some(_) if !options.continue_.is_empty() => {
            errors.push(forbidden("resourceVersionMatch is forbidden when continue is provided").into());
        }
        Some(_) if options.resource_version.is_empty() => {
            errors.push(
                forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided").into(),
            );
        }
        Some(ResourceVersionMatch::Exact) if options.resource_version == "0" => {
            errors.push(
                forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"").into(),
            );
        }
        _ => {}
    }
    if !errors.is_empty() {
        let mut about = KindInfo::guess("meta.k8s.io/v1", "ListOptions");
        about.plural.clone_from(&kind.plural);
        return Err(Error::invalid(&about, &ObjectKey::default(), errors));
    }
    if !options.continue_.is_empty() && !matches!(&*options.resource_version, "" | "0") {
        return Err(Error::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(())
}

/// One page of selected records.
pub(crate) struct Found {
    pub(crate) items: Vec<Arc<Record>>,
    pub(crate) revision: Revision,
    last: Option<Key>,
    remaining: u64,
}

impl Found {
    fn into_list(self, prefix: &str, counts: bool) -> RecordList {
        let rest =
            self.last.as_deref().and_then(|last| last.strip_prefix(prefix)).filter(|_| self.remaining > 0);
        RecordList {
            items: self.items,
            resource_version: Str::from(self.revision.to_string()),
            continue_: rest.map(|last| Token::behind(self.revision, last).encode()).unwrap_or_default(),
            remaining: (counts && self.remaining > 0).then_some(self.remaining),
        }
    }
}

/// A continue token, in Kubernetes' form.
#[derive(Deserialize, Serialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

impl Token {
    fn behind(revision: Revision, last: &str) -> Self {
        Self {
            v: "meta.k8s.io/v1".into(),
            rv: revision.0.try_into().unwrap_or(i64::MAX),
            start: format!("{last}\0"),
        }
    }

    fn after(&self) -> &str {
        self.start.strip_suffix('\0').unwrap_or(&self.start)
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD
            .encode(serde_json::json!({ "v": self.v, "rv": self.rv, "start": self.start }).to_string())
    }

    fn decode(text: &str) -> Result<Self> {
        let refuse = |reason: &str| Error::bad_request(format!("continue key is not valid: {reason}"));
        let json =
            URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|error| refuse(&error.to_string()))?;
        let token: Self = serde_json::from_slice(&json).map_err(|error| refuse(&error.to_string()))?;
        if token.v != "meta.k8s.io/v1" {
            return Err(refuse(&format!("server does not recognize this encoded version {:?}", token.v)));
        }
        // A token is not to be trusted: it may only lead on inside of the list.
        if token.start.split('/').any(|part| matches!(part, "" | "." | "..")) || token.rv == 0 {
            return Err(refuse(&token.start));
        }
        Ok(token)
    }
}
