//! What Services' addresses are taken from: IPAddresses and ServiceCIDRs.

use super::Validate;
use super::rules::{IMMUTABLE, Rules};
use crate::names::{self, NameRule};
use crate::networking::v1::{IPAddress, ParentReference, ServiceCIDR};
use crate::{FieldError, FieldValue, Str};

impl Validate for IPAddress {
    /// The name is the address; it is checked apart from the rest.
    const NAME_RULE: NameRule = NameRule::Address;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        match &self.spec.parent_ref {
            None => rules.required("spec.parentRef", ""),
            Some(parent) => rules.within("spec", |rules| {
                rules.within("parentRef", |rules| self::parent(rules, parent));
            }),
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.immutable("spec.parentRef", &self.spec.parent_ref, &old.spec.parent_ref);
        rules.finish()
    }
}

fn parent(rules: &mut Rules, parent: &ParentReference) {
    if !parent.group.is_empty() {
        rules.complaints("group", &parent.group, names::dns1123_subdomain(&parent.group));
    }
    for (field, text, is_needed) in [
        ("resource", &parent.resource, true),
        ("name", &parent.name, true),
        ("namespace", &parent.namespace, false),
    ] {
        if !text.is_empty() {
            rules.complaints(field, text, names::path_segment_name(text));
        } else if is_needed {
            rules.required(field, "");
        }
    }
}

impl Validate for ServiceCIDR {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        cidrs(&mut rules, &self.spec.cidrs);
        rules.finish()
    }

    /// A second family may be added; nothing else changes.
    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        let (now, before) = (&self.spec.cidrs, &old.spec.cidrs);
        if now.len() == before.len() || (now.len() == 2 && before.len() == 1) {
            for (index, (now, before)) in now.iter().zip(before).enumerate() {
                rules.immutable(&format!("spec.cidrs[{index}]"), now, before);
            }
            cidrs(&mut rules, now);
        } else {
            rules.invalid("spec.cidrs", FieldValue::of(now), IMMUTABLE);
        }
        rules.finish()
    }
}

fn cidrs(rules: &mut Rules, cidrs: &[Str]) {
    let family = |cidr: &Str| names::lenient_cidr(cidr).map(|network| network.address.is_ipv4());
    match cidrs {
        [] => {
            rules.required("spec.cidrs", "at least one CIDR required");
            return;
        }
        [_] => {}
        [first, second] => {
            let families = [family(first), family(second)];
            if families.contains(&None) || families[0] == families[1] {
                let detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
                rules.invalid("spec.cidrs", FieldValue::of(cidrs), detail);
                return;
            }
        }
        _ => {
            rules.invalid("spec.cidrs", FieldValue::of(cidrs), "may only hold up to 2 values");
            return;
        }
    }
    for (index, cidr) in cidrs.iter().enumerate() {
        rules.check(&format!("spec.cidrs[{index}]"), |path| names::cidr(path, cidr));
    }
}
