//! Enumerations of this version.

crate::open_enum! {
    /// Units in which a scaling speed limit may be expressed.
    pub enum HPAScalingPolicyType {
        Pods = "Pods",
        Percent = "Percent",
    }

    /// Aspects observed of an autoscaler: metrics usable, target scalable, bounds reached, scaled to zero by
    /// it.
    pub enum HorizontalPodAutoscalerConditionType {
        ScalingActive = "ScalingActive",
        AbleToScale = "AbleToScale",
        ScalingLimited = "ScalingLimited",
        ScaledToZero = "ScaledToZero",
    }

    /// Origins of a metric: one object, custom pod metrics, pod resources, container resources, or outside
    /// the cluster.
    pub enum MetricSourceType {
        Object = "Object",
        Pods = "Pods",
        Resource = "Resource",
        ContainerResource = "ContainerResource",
        External = "External",
    }

    /// Ways to express a metric target: percent of the request, total value, or average per pod.
    pub enum MetricTargetType {
        Utilization = "Utilization",
        Value = "Value",
        AverageValue = "AverageValue",
    }

    /// Which of several speed limits applies: the most permissive, the strictest, or no scaling at all.
    pub enum ScalingPolicySelect {
        Max = "Max",
        Min = "Min",
        Disabled = "Disabled",
    }
}
