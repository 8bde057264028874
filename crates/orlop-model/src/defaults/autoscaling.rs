//! Defaults of HorizontalPodAutoscalers.

use super::SetDefaults;
use crate::autoscaling::{v1, v2};
use crate::core::v1::resource_name;
use crate::list;
use crate::message::Sequence as _;
use v2::HPAScalingPolicyType::{Percent, Pods};
use v2::{
    HPAScalingPolicy, HPAScalingPolicyType, HPAScalingRules, MetricSourceType, MetricSpec, MetricTargetType,
    ResourceMetricSource, ScalingPolicySelect,
};

/// Wanted mean use of the processors, in percent of what the pods request, where no metric is named.
const UTILIZATION: i32 = 80;

/// Window of the default policies, in seconds.
const PERIOD: i32 = 15;

impl SetDefaults for v1::HorizontalPodAutoscaler {
    fn set_defaults(&mut self) {
        self.spec.min_replicas.get_or_insert(1);
    }
}

impl SetDefaults for v2::HorizontalPodAutoscaler {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        spec.min_replicas.get_or_insert(1);
        if spec.metrics.is_empty() {
            let mut resource = ResourceMetricSource { name: resource_name::CPU.into(), ..Default::default() };
            resource.target.type_ = MetricTargetType::Utilization;
            resource.target.average_utilization = Some(UTILIZATION);
            spec.metrics = list![MetricSpec {
                type_: MetricSourceType::Resource,
                resource: Some(Box::new(resource)),
                ..Default::default()
            }];
        }
        if let Some(behavior) = &mut spec.behavior {
            let up = behavior.scale_up.get_or_insert_default();
            rules(up, &[(Pods, 4), (Percent, 100)]);
            up.stabilization_window_seconds.get_or_insert(0);
            // How long to wait before scaling down is an option of the controller.
            rules(behavior.scale_down.get_or_insert_default(), &[(Percent, 100)]);
        }
    }
}

fn rules(rules: &mut HPAScalingRules, policies: &[(HPAScalingPolicyType, i32)]) {
    rules.select_policy.get_or_insert(ScalingPolicySelect::Max);
    // `policies: []` stays, and is refused.
    if rules.policies.is_nil() {
        let policy = |(type_, value): &(HPAScalingPolicyType, i32)| HPAScalingPolicy {
            type_: type_.clone(),
            value: *value,
            period_seconds: PERIOD,
            ..Default::default()
        };
        rules.policies = policies.iter().map(policy).collect();
    }
}
