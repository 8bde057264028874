//! Enumerations of this version.

crate::open_enum! {
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
    pub enum MetricSourceType: closed {
        Object = "Object",
        Pods = "Pods",
        Resource = "Resource",
        ContainerResource = "ContainerResource",
        External = "External",
    }
}
