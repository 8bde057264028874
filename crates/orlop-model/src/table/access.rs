//! Rows of RoleBindings, ClusterRoleBindings and CertificateSigningRequests.

use super::{Column, Row, Tabular, age};

#[cfg(feature = "rbac")]
mod binding {
    use jiff::Timestamp;

    use super::super::{Cell, joined};
    use super::{Column, Row, Tabular, age};
    use crate::rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject};

    const COLUMNS: &[Column] = &[
        Column::NAME,
        Column::text("Role", "Kind and name of the role."),
        Column::AGE,
        Column::text("Users", "The users that have it.").wide(),
        Column::text("Groups", "The groups that have it.").wide(),
        Column::text("ServiceAccounts", "The service accounts that have it.").wide(),
    ];

    impl Tabular for RoleBinding {
        const COLUMNS: &'static [Column] = COLUMNS;

        fn row(&self, now: Timestamp) -> Row {
            row((&self.metadata.name).into(), &self.role_ref, age(self, now), &self.subjects)
        }
    }

    impl Tabular for ClusterRoleBinding {
        const COLUMNS: &'static [Column] = COLUMNS;

        fn row(&self, now: Timestamp) -> Row {
            row((&self.metadata.name).into(), &self.role_ref, age(self, now), &self.subjects)
        }
    }

    fn row(name: Cell, role: &RoleRef, age: Cell, subjects: &[Subject]) -> Row {
        let named = |kind: &str| {
            let subjects = subjects.iter().filter(|subject| subject.kind == kind);
            joined(
                subjects.map(|subject| match subject.namespace.non_empty() {
                    Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{}", subject.name),
                    _ => subject.name.to_string(),
                }),
                ", ",
            )
        };
        Row::new([
            name,
            format!("{}/{}", role.kind, role.name).into(),
            age,
            named("User").into(),
            named("Group").into(),
            named("ServiceAccount").into(),
        ])
    }
}

#[cfg(feature = "certificates")]
mod certificate {
    use jiff::{SignedDuration, Timestamp};

    use super::super::{NONE, human_duration, or_none};
    use super::{Column, Row, Tabular, age};
    use crate::certificates::v1::{CertificateSigningRequest, RequestConditionType};

    impl Tabular for CertificateSigningRequest {
        const COLUMNS: &'static [Column] = &[
            Column::NAME,
            Column::AGE,
            Column::text("SignerName", "Who is asked to sign."),
            Column::text("Requestor", "Who asked."),
            Column::text("RequestedDuration", "How long the certificate should be valid."),
            Column::text("Condition", "What became of it."),
        ];

        fn row(&self, now: Timestamp) -> Row {
            let duration = self.spec.expiration_seconds.map_or_else(
                || NONE.to_owned(),
                |seconds| human_duration(SignedDuration::from_secs(seconds.into())),
            );
            Row::new([
                (&self.metadata.name).into(),
                age(self, now),
                or_none(&self.spec.signer_name),
                (&self.spec.username).into(),
                duration.into(),
                condition(self).into(),
            ])
        }
    }

    fn condition(request: &CertificateSigningRequest) -> String {
        let status = &request.status;
        let has =
            |type_: RequestConditionType| status.conditions.iter().any(|condition| condition.type_ == type_);
        let mut text = match () {
            () if has(RequestConditionType::Denied) => "Denied",
            () if has(RequestConditionType::Approved) => "Approved",
            () => "Pending",
        }
        .to_owned();
        if has(RequestConditionType::Failed) {
            text.push_str(",Failed");
        }
        if !status.certificate.is_empty() {
            text.push_str(",Issued");
        }
        text
    }
}
