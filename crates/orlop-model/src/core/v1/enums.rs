//! Enumerations of this version.

crate::open_enum! {
    /// Texts of `AppArmorProfileType`.
    pub enum AppArmorProfileType {
        Unconfined = "Unconfined",
        RuntimeDefault = "RuntimeDefault",
        Localhost = "Localhost",
    }

    /// Texts of `AzureDataDiskCachingMode`.
    pub enum AzureDataDiskCachingMode {
        None = "None",
        ReadOnly = "ReadOnly",
        ReadWrite = "ReadWrite",
    }

    /// Texts of `AzureDataDiskKind`.
    pub enum AzureDataDiskKind {
        Shared = "Shared",
        Dedicated = "Dedicated",
        Managed = "Managed",
    }

    /// Texts of `ConditionStatus`.
    pub enum ConditionStatus {
        True = "True",
        False = "False",
        Unknown = "Unknown",
    }

    /// Texts of `ContainerRestartPolicy`.
    pub enum ContainerRestartPolicy {
        Always = "Always",
        Never = "Never",
        OnFailure = "OnFailure",
    }

    /// Texts of `ContainerRestartRuleAction`.
    pub enum ContainerRestartRuleAction {
        Restart = "Restart",
        RestartAllContainers = "RestartAllContainers",
    }

    /// Texts of `ContainerRestartRuleOnExitCodesOperator`.
    pub enum ContainerRestartRuleOnExitCodesOperator {
        In = "In",
        NotIn = "NotIn",
    }

    /// Texts of `DNSPolicy`.
    pub enum DNSPolicy {
        ClusterFirstWithHostNet = "ClusterFirstWithHostNet",
        ClusterFirst = "ClusterFirst",
        Default = "Default",
        None = "None",
    }

    /// Texts of `FinalizerName`.
    pub enum FinalizerName {
        Kubernetes = "kubernetes",
    }

    /// Texts of `HostPathType`.
    pub enum HostPathType {
        DirectoryOrCreate = "DirectoryOrCreate",
        Directory = "Directory",
        FileOrCreate = "FileOrCreate",
        File = "File",
        Socket = "Socket",
        CharDevice = "CharDevice",
        BlockDevice = "BlockDevice",
    }

    /// Texts of `IPFamily`.
    pub enum IPFamily {
        IPv4 = "IPv4",
        IPv6 = "IPv6",
    }

    /// Texts of `IPFamilyPolicy`.
    pub enum IPFamilyPolicy {
        SingleStack = "SingleStack",
        PreferDualStack = "PreferDualStack",
        RequireDualStack = "RequireDualStack",
    }

    /// Texts of `LoadBalancerIPMode`.
    pub enum LoadBalancerIPMode {
        VIP = "VIP",
        Proxy = "Proxy",
    }

    /// Texts of `MountPropagationMode`.
    pub enum MountPropagationMode {
        None = "None",
        HostToContainer = "HostToContainer",
        Bidirectional = "Bidirectional",
    }

    /// Texts of `NamespaceConditionType`.
    pub enum NamespaceConditionType {
        NamespaceDeletionDiscoveryFailure = "NamespaceDeletionDiscoveryFailure",
        NamespaceDeletionContentFailure = "NamespaceDeletionContentFailure",
        NamespaceDeletionGroupVersionParsingFailure = "NamespaceDeletionGroupVersionParsingFailure",
        NamespaceContentRemaining = "NamespaceContentRemaining",
        NamespaceFinalizersRemaining = "NamespaceFinalizersRemaining",
    }

    /// Texts of `NamespacePhase`.
    pub enum NamespacePhase {
        Active = "Active",
        Terminating = "Terminating",
    }

    /// Texts of `NodeAddressType`.
    pub enum NodeAddressType {
        Hostname = "Hostname",
        InternalIP = "InternalIP",
        ExternalIP = "ExternalIP",
        InternalDNS = "InternalDNS",
        ExternalDNS = "ExternalDNS",
    }

    /// Texts of `NodeConditionType`.
    pub enum NodeConditionType {
        Ready = "Ready",
        MemoryPressure = "MemoryPressure",
        DiskPressure = "DiskPressure",
        PIDPressure = "PIDPressure",
        NetworkUnavailable = "NetworkUnavailable",
    }

    /// Texts of `NodeInclusionPolicy`.
    pub enum NodeInclusionPolicy {
        Ignore = "Ignore",
        Honor = "Honor",
    }

    /// Texts of `NodePhase`.
    pub enum NodePhase {
        Pending = "Pending",
        Running = "Running",
        Terminated = "Terminated",
    }

    /// Texts of `NodeSelectorOperator`.
    pub enum NodeSelectorOperator {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
        Gt = "Gt",
        Lt = "Lt",
    }

    /// Texts of `OSName`.
    pub enum OSName {
        Linux = "linux",
        Windows = "windows",
    }

    /// Texts of `PersistentVolumeAccessMode`.
    pub enum PersistentVolumeAccessMode {
        ReadWriteOnce = "ReadWriteOnce",
        ReadOnlyMany = "ReadOnlyMany",
        ReadWriteMany = "ReadWriteMany",
        ReadWriteOncePod = "ReadWriteOncePod",
    }

    /// Texts of `PersistentVolumeMode`.
    pub enum PersistentVolumeMode {
        Block = "Block",
        Filesystem = "Filesystem",
    }

    /// Texts of `PodConditionType`.
    pub enum PodConditionType {
        ContainersReady = "ContainersReady",
        Initialized = "Initialized",
        Ready = "Ready",
        PodScheduled = "PodScheduled",
        DisruptionTarget = "DisruptionTarget",
        PodReadyToStartContainers = "PodReadyToStartContainers",
        PodResizePending = "PodResizePending",
        PodResizeInProgress = "PodResizeInProgress",
        AllContainersRestarting = "AllContainersRestarting",
    }

    /// Texts of `PodFSGroupChangePolicy`.
    pub enum PodFSGroupChangePolicy {
        OnRootMismatch = "OnRootMismatch",
        Always = "Always",
    }

    /// Texts of `PodPhase`.
    pub enum PodPhase {
        Pending = "Pending",
        Running = "Running",
        Succeeded = "Succeeded",
        Failed = "Failed",
        Unknown = "Unknown",
    }

    /// Texts of `PodQOSClass`.
    pub enum PodQOSClass {
        Guaranteed = "Guaranteed",
        Burstable = "Burstable",
        BestEffort = "BestEffort",
    }

    /// Texts of `PodResizeStatus`.
    pub enum PodResizeStatus {
        InProgress = "InProgress",
        Deferred = "Deferred",
        Infeasible = "Infeasible",
    }

    /// Texts of `PodSELinuxChangePolicy`.
    pub enum PodSELinuxChangePolicy {
        Recursive = "Recursive",
        MountOption = "MountOption",
    }

    /// Texts of `PreemptionPolicy`.
    pub enum PreemptionPolicy {
        PreemptLowerPriority = "PreemptLowerPriority",
        Never = "Never",
    }

    /// Texts of `ProcMountType`.
    pub enum ProcMountType {
        Default = "Default",
        Unmasked = "Unmasked",
    }

    /// Texts of `Protocol`.
    pub enum Protocol {
        TCP = "TCP",
        UDP = "UDP",
        SCTP = "SCTP",
    }

    /// Texts of `PullPolicy`.
    pub enum PullPolicy {
        Always = "Always",
        Never = "Never",
        IfNotPresent = "IfNotPresent",
    }

    /// Texts of `RecursiveReadOnlyMode`.
    pub enum RecursiveReadOnlyMode {
        Disabled = "Disabled",
        IfPossible = "IfPossible",
        Enabled = "Enabled",
    }

    /// Texts of `ResourceHealthStatus`.
    pub enum ResourceHealthStatus {
        Healthy = "Healthy",
        Unhealthy = "Unhealthy",
        Unknown = "Unknown",
    }

    /// Texts of `ResourceResizeRestartPolicy`.
    pub enum ResourceResizeRestartPolicy {
        NotRequired = "NotRequired",
        RestartContainer = "RestartContainer",
    }

    /// Texts of `RestartPolicy`.
    pub enum RestartPolicy {
        Always = "Always",
        OnFailure = "OnFailure",
        Never = "Never",
    }

    /// Texts of `SeccompProfileType`.
    pub enum SeccompProfileType {
        Unconfined = "Unconfined",
        RuntimeDefault = "RuntimeDefault",
        Localhost = "Localhost",
    }

    /// Texts of `SecretType`.
    pub enum SecretType {
        Opaque = "Opaque",
        KubernetesIoServiceAccountToken = "kubernetes.io/service-account-token",
        KubernetesIoDockercfg = "kubernetes.io/dockercfg",
        KubernetesIoDockerconfigjson = "kubernetes.io/dockerconfigjson",
        KubernetesIoBasicAuth = "kubernetes.io/basic-auth",
        KubernetesIoSshAuth = "kubernetes.io/ssh-auth",
        KubernetesIoTls = "kubernetes.io/tls",
        BootstrapKubernetesIoToken = "bootstrap.kubernetes.io/token",
    }

    /// Texts of `ServiceAffinity`.
    pub enum ServiceAffinity {
        ClientIP = "ClientIP",
        None = "None",
    }

    /// Texts of `ServiceExternalTrafficPolicy`.
    pub enum ServiceExternalTrafficPolicy {
        Cluster = "Cluster",
        Local = "Local",
    }

    /// Texts of `ServiceInternalTrafficPolicy`.
    pub enum ServiceInternalTrafficPolicy {
        Cluster = "Cluster",
        Local = "Local",
    }

    /// Texts of `ServiceType`.
    pub enum ServiceType {
        ClusterIP = "ClusterIP",
        NodePort = "NodePort",
        LoadBalancer = "LoadBalancer",
        ExternalName = "ExternalName",
    }

    /// Texts of `Signal`.
    pub enum Signal {
        Sigabrt = "SIGABRT",
        Sigalrm = "SIGALRM",
        Sigbus = "SIGBUS",
        Sigchld = "SIGCHLD",
        Sigcld = "SIGCLD",
        Sigcont = "SIGCONT",
        Sigfpe = "SIGFPE",
        Sighup = "SIGHUP",
        Sigill = "SIGILL",
        Sigint = "SIGINT",
        Sigio = "SIGIO",
        Sigiot = "SIGIOT",
        Sigkill = "SIGKILL",
        Sigpipe = "SIGPIPE",
        Sigpoll = "SIGPOLL",
        Sigprof = "SIGPROF",
        Sigpwr = "SIGPWR",
        Sigquit = "SIGQUIT",
        Sigsegv = "SIGSEGV",
        Sigstkflt = "SIGSTKFLT",
        Sigstop = "SIGSTOP",
        Sigsys = "SIGSYS",
        Sigterm = "SIGTERM",
        Sigtrap = "SIGTRAP",
        Sigtstp = "SIGTSTP",
        Sigttin = "SIGTTIN",
        Sigttou = "SIGTTOU",
        Sigurg = "SIGURG",
        Sigusr1 = "SIGUSR1",
        Sigusr2 = "SIGUSR2",
        Sigvtalrm = "SIGVTALRM",
        Sigwinch = "SIGWINCH",
        Sigxcpu = "SIGXCPU",
        Sigxfsz = "SIGXFSZ",
        Sigrtmin = "SIGRTMIN",
        Sigrtmin1 = "SIGRTMIN+1",
        Sigrtmin2 = "SIGRTMIN+2",
        Sigrtmin3 = "SIGRTMIN+3",
        Sigrtmin4 = "SIGRTMIN+4",
        Sigrtmin5 = "SIGRTMIN+5",
        Sigrtmin6 = "SIGRTMIN+6",
        Sigrtmin7 = "SIGRTMIN+7",
        Sigrtmin8 = "SIGRTMIN+8",
        Sigrtmin9 = "SIGRTMIN+9",
        Sigrtmin10 = "SIGRTMIN+10",
        Sigrtmin11 = "SIGRTMIN+11",
        Sigrtmin12 = "SIGRTMIN+12",
        Sigrtmin13 = "SIGRTMIN+13",
        Sigrtmin14 = "SIGRTMIN+14",
        Sigrtmin15 = "SIGRTMIN+15",
        Sigrtmax14 = "SIGRTMAX-14",
        Sigrtmax13 = "SIGRTMAX-13",
        Sigrtmax12 = "SIGRTMAX-12",
        Sigrtmax11 = "SIGRTMAX-11",
        Sigrtmax10 = "SIGRTMAX-10",
        Sigrtmax9 = "SIGRTMAX-9",
        Sigrtmax8 = "SIGRTMAX-8",
        Sigrtmax7 = "SIGRTMAX-7",
        Sigrtmax6 = "SIGRTMAX-6",
        Sigrtmax5 = "SIGRTMAX-5",
        Sigrtmax4 = "SIGRTMAX-4",
        Sigrtmax3 = "SIGRTMAX-3",
        Sigrtmax2 = "SIGRTMAX-2",
        Sigrtmax1 = "SIGRTMAX-1",
        Sigrtmax = "SIGRTMAX",
    }

    /// Texts of `StorageMedium`.
    pub enum StorageMedium {
        Memory = "Memory",
        HugePages = "HugePages",
    }

    /// Texts of `SupplementalGroupsPolicy`.
    pub enum SupplementalGroupsPolicy {
        Merge = "Merge",
        Strict = "Strict",
    }

    /// Texts of `TaintEffect`.
    pub enum TaintEffect {
        NoSchedule = "NoSchedule",
        PreferNoSchedule = "PreferNoSchedule",
        NoExecute = "NoExecute",
    }

    /// Texts of `TerminationMessagePolicy`.
    pub enum TerminationMessagePolicy {
        File = "File",
        FallbackToLogsOnError = "FallbackToLogsOnError",
    }

    /// Texts of `TolerationOperator`.
    pub enum TolerationOperator {
        Exists = "Exists",
        Equal = "Equal",
        Lt = "Lt",
        Gt = "Gt",
    }

    /// Texts of `URIScheme`.
    pub enum URIScheme {
        HTTP = "HTTP",
        Https = "HTTPS",
    }

    /// Texts of `UnsatisfiableConstraintAction`.
    pub enum UnsatisfiableConstraintAction {
        DoNotSchedule = "DoNotSchedule",
        ScheduleAnyway = "ScheduleAnyway",
    }
}
