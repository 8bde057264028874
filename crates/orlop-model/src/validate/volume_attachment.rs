//! VolumeAttachments.

use super::persistent_volume::spec as volume_spec;
use super::rules::{IMMUTABLE, Rules};
use super::volume_plugin::csi_driver;
use super::{Validate, subdomain};
use crate::storage::v1::{VolumeAttachment, VolumeAttachmentSource, VolumeError};
use crate::{FieldError, FieldValue};

/// Most bytes of the metadata of an attachment.
const MAX_METADATA: usize = 256 << 10;
/// Longest message of an error, in bytes.
const MAX_MESSAGE: usize = 1024;

const EXACTLY_ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

impl Validate for VolumeAttachment {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = whole(self);
        csi_driver(&mut rules, "spec.attacher", &self.spec.attacher);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = whole(self);
        if self.spec != old.spec {
            rules.invalid("spec", FieldValue::of(&self.spec), IMMUTABLE);
        }
        rules.finish()
    }
}

fn whole(attachment: &VolumeAttachment) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(attachment, VolumeAttachment::NAME_RULE);
    rules.within("spec", |rules| {
        let spec = &attachment.spec;
        rules.present("attacher", &spec.attacher);
        rules.within("source", |rules| source(rules, &spec.source));
        subdomain(rules, "nodeName", &spec.node_name);
    });
    rules.within("status", |rules| {
        let status = &attachment.status;
        if status.attachment_metadata.contains_key("") {
            rules.invalid("attachmentMetadata", "", "field can not be empty.");
        }
        let size: usize = status.attachment_metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > MAX_METADATA {
            rules.too_long("attachmentMetadata", MAX_METADATA);
        }
        let message = |rules: &mut Rules, error: &VolumeError| {
            if error.message.len() > MAX_MESSAGE {
                rules.too_long("message", MAX_MESSAGE);
            }
        };
        rules.option("attachError", status.attach_error.as_deref(), message);
        rules.option("detachError", status.detach_error.as_deref(), message);
    });
    rules
}

fn source(rules: &mut Rules, source: &VolumeAttachmentSource) {
    match (&source.persistent_volume_name, &source.inline_volume_spec) {
        (None, None) => rules.required("", EXACTLY_ONE),
        (Some(_), Some(_)) => rules.forbidden("", EXACTLY_ONE),
        (Some(name), None) => {
            if name.is_empty() {
                rules.required("persistentVolumeName", "must specify non empty persistentVolumeName");
            }
        }
        (None, Some(spec)) => {
            rules.within("inlineVolumeSpec", |rules| volume_spec(rules, spec, "", true, false));
        }
    }
}
