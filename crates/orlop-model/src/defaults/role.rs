//! Defaults of RoleBindings and ClusterRoleBindings.

use super::{SetDefaults, fill};
use crate::rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject};

const GROUP: &str = "rbac.authorization.k8s.io";

impl SetDefaults for RoleBinding {
    fn set_defaults(&mut self) {
        binding(&mut self.role_ref, &mut self.subjects);
    }
}

impl SetDefaults for ClusterRoleBinding {
    fn set_defaults(&mut self) {
        binding(&mut self.role_ref, &mut self.subjects);
    }
}

fn binding(role: &mut RoleRef, subjects: &mut [Subject]) {
    fill([(&mut role.api_group, GROUP)]);
    for subject in subjects {
        if matches!(subject.kind.as_str(), "User" | "Group") {
            fill([(&mut subject.api_group, GROUP)]);
        }
    }
}
