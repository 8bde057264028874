//! Who owns the fields that a request writes.

use orlop_client::{Subresource, WriteOptions};
use orlop_model::Time;
use orlop_model::apply::{FieldSet, Options};

use crate::resource::Resource;
use crate::server::Server;

/// What a request owns what it writes by.
pub(crate) struct Tracking<'a> {
    options: &'a WriteOptions,
    subresource: &'a str,
    now: Time,
    /// Fields that it has no say in.
    ignored: FieldSet,
}

impl Tracking<'_> {
    pub(crate) fn as_options(&self) -> Options<'_> {
        Options {
            subresource: self.subresource,
            force: self.options.force,
            time: Some(self.now),
            ignored: &self.ignored,
            ..Options::by(&self.options.field_manager)
        }
    }
}

impl Server {
    /// How a request owns what it writes.
    pub(crate) fn tracking<'a>(
        &self,
        resource: &dyn Resource,
        subresource: &'a Subresource,
        options: &'a WriteOptions,
    ) -> Tracking<'a> {
        let ignored = match subresource {
            Subresource::Status => FieldSet::of_fields(&[
                &["spec"],
                &["metadata", "labels"],
                &["metadata", "annotations"],
                &["metadata", "ownerReferences"],
                &["metadata", "finalizers"],
                &["metadata", "deletionTimestamp"],
            ]),
            _ if resource.kind().status => FieldSet::of_fields(&[&["status"]]),
            _ => FieldSet::new(),
        };
        let subresource = match subresource {
            Subresource::Main => "",
            other => other.as_str(),
        };
        Tracking { options, subresource, now: self.now(), ignored }
    }
}
