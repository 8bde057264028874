//! Services.

use super::Prepare;
use crate::core::v1::{Service, ServiceType};
use crate::list;

impl Prepare for Service {
    fn prepare_for_create(&mut self) {
        let spec = &mut self.spec;
        if spec.type_ != ServiceType::ExternalName
            && !spec.cluster_ip.is_empty()
            && spec.cluster_ips.is_empty()
        {
            spec.cluster_ips = list![spec.cluster_ip.clone()];
        }
    }
}
