//! Enumerations of this version.

crate::open_enum! {
    /// Origins of an AppArmor profile: no confinement, the default of the container runtime, or one loaded on
    /// the node.
    pub enum AppArmorProfileType: closed {
        Unconfined = "Unconfined",
        RuntimeDefault = "RuntimeDefault",
        Localhost = "Localhost",
    }

    /// Host caching modes of an Azure data disk: no cache, cached reads, or cached reads and writes.
    pub enum AzureDataDiskCachingMode: closed {
        None = "None",
        ReadOnly = "ReadOnly",
        ReadWrite = "ReadWrite",
    }

    /// Kinds of Azure data disk: blobs in a shared or a dedicated storage account, or a managed disk.
    pub enum AzureDataDiskKind: closed {
        Shared = "Shared",
        Dedicated = "Dedicated",
        Managed = "Managed",
    }

    /// Stages of resizing a claim, on the controller and on the node, including sizes that cannot be reached.
    pub enum ClaimResourceStatus: closed {
        ControllerResizeInProgress = "ControllerResizeInProgress",
        ControllerResizeInfeasible = "ControllerResizeInfeasible",
        NodeResizePending = "NodeResizePending",
        NodeResizeInProgress = "NodeResizeInProgress",
        NodeResizeInfeasible = "NodeResizeInfeasible",
    }

    /// Kinds of component check; the only one asks whether the component is healthy.
    pub enum ComponentConditionType {
        Healthy = "Healthy",
    }

    /// When the kubelet restarts a single container after its exit: always, never, or after failure only.
    pub enum ContainerRestartPolicy {
        Always = "Always",
        Never = "Never",
        OnFailure = "OnFailure",
    }

    /// Reactions to a matched exit: restart the container, or restart all containers of the pod.
    pub enum ContainerRestartRuleAction {
        Restart = "Restart",
        RestartAllContainers = "RestartAllContainers",
    }

    /// Relations between the exit code and the listed values: contained or not contained.
    pub enum ContainerRestartRuleOnExitCodesOperator {
        In = "In",
        NotIn = "NotIn",
    }

    /// Ways of building the resolver configuration of a pod: cluster DNS, the settings of the node, or
    /// explicit ones.
    pub enum DNSPolicy: closed {
        ClusterFirstWithHostNet = "ClusterFirstWithHostNet",
        ClusterFirst = "ClusterFirst",
        Default = "Default",
        None = "None",
    }

    /// Finalizers known for the spec of a namespace; only the one of Kubernetes itself is predefined.
    pub enum FinalizerName {
        Kubernetes = "kubernetes",
    }

    /// Checks made on a host path prior to mounting; the empty value checks nothing.
    pub enum HostPathType: closed {
        DirectoryOrCreate = "DirectoryOrCreate",
        Directory = "Directory",
        FileOrCreate = "FileOrCreate",
        File = "File",
        Socket = "Socket",
        CharDevice = "CharDevice",
        BlockDevice = "BlockDevice",
    }

    /// IP address families of service addresses; the empty value stands for unknown.
    pub enum IPFamily: closed {
        IPv4 = "IPv4",
        IPv6 = "IPv6",
    }

    /// How many IP families a service gets: one, two where available, or two as a requirement.
    pub enum IPFamilyPolicy: closed {
        SingleStack = "SingleStack",
        PreferDualStack = "PreferDualStack",
        RequireDualStack = "RequireDualStack",
    }

    /// Kinds of object that a limit range can bound: pods, containers and volume claims.
    pub enum LimitType {
        Pod = "Pod",
        Container = "Container",
        PersistentVolumeClaim = "PersistentVolumeClaim",
    }

    /// How a load balancer hands on traffic: keeping its own address as destination, or proxying to node or
    /// pod.
    pub enum LoadBalancerIPMode {
        VIP = "VIP",
        Proxy = "Proxy",
    }

    /// How mounts made later travel between node and container: not at all, inwards only, or both ways.
    pub enum MountPropagationMode: closed {
        None = "None",
        HostToContainer = "HostToContainer",
        Bidirectional = "Bidirectional",
    }

    /// Things that can hold up the deletion of a namespace: failures of discovery or removal, remaining
    /// contents, remaining finalizers.
    pub enum NamespaceConditionType {
        NamespaceDeletionDiscoveryFailure = "NamespaceDeletionDiscoveryFailure",
        NamespaceDeletionContentFailure = "NamespaceDeletionContentFailure",
        NamespaceDeletionGroupVersionParsingFailure = "NamespaceDeletionGroupVersionParsingFailure",
        NamespaceContentRemaining = "NamespaceContentRemaining",
        NamespaceFinalizersRemaining = "NamespaceFinalizersRemaining",
    }

    /// Life stages of a namespace: in use, or being emptied for deletion.
    pub enum NamespacePhase: closed {
        Active = "Active",
        Terminating = "Terminating",
    }

    /// Kinds of node address: host name, and IP address or DNS name, each inside or outside of the cluster.
    pub enum NodeAddressType {
        Hostname = "Hostname",
        InternalIP = "InternalIP",
        ExternalIP = "ExternalIP",
        InternalDNS = "InternalDNS",
        ExternalDNS = "ExternalDNS",
    }

    /// Aspects of node health: readiness, shortage of memory, disk or process ids, and missing network.
    pub enum NodeConditionType {
        Ready = "Ready",
        MemoryPressure = "MemoryPressure",
        DiskPressure = "DiskPressure",
        PIDPressure = "PIDPressure",
        NetworkUnavailable = "NetworkUnavailable",
    }

    /// Whether topology spreading leaves out nodes that the pod could not use, or counts them all.
    pub enum NodeInclusionPolicy: closed {
        Ignore = "Ignore",
        Honor = "Honor",
    }

    /// Former life stages of a node; deprecated, no longer set by anyone.
    pub enum NodePhase: closed {
        Pending = "Pending",
        Running = "Running",
        Terminated = "Terminated",
    }

    /// Relations of a node label to given values: membership, existence, and integer comparison.
    pub enum NodeSelectorOperator: closed {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
        Gt = "Gt",
        Lt = "Lt",
    }

    /// Operating systems of pods: Linux and Windows.
    pub enum OSName {
        Linux = "linux",
        Windows = "windows",
    }

    /// How many nodes or pods may mount a volume, and whether they may write.
    pub enum PersistentVolumeAccessMode: closed {
        ReadWriteOnce = "ReadWriteOnce",
        ReadOnlyMany = "ReadOnlyMany",
        ReadWriteMany = "ReadWriteMany",
        ReadWriteOncePod = "ReadWriteOncePod",
    }

    /// Observations on a claim: stages and errors of resizing and modification, and not being used by any
    /// pod.
    pub enum PersistentVolumeClaimConditionType {
        Resizing = "Resizing",
        FileSystemResizePending = "FileSystemResizePending",
        ControllerResizeError = "ControllerResizeError",
        NodeResizeError = "NodeResizeError",
        ModifyVolumeError = "ModifyVolumeError",
        ModifyingVolume = "ModifyingVolume",
        Unused = "Unused",
    }

    /// Stages of changing volume attributes: waiting for prerequisites, under way, or rejected by the driver.
    pub enum PersistentVolumeClaimModifyVolumeStatus: closed {
        Pending = "Pending",
        InProgress = "InProgress",
        Infeasible = "Infeasible",
    }

    /// Binding stages of a claim: awaiting a volume, bound to one, or its volume is gone.
    pub enum PersistentVolumeClaimPhase: closed {
        Pending = "Pending",
        Bound = "Bound",
        Lost = "Lost",
    }

    /// Ways a volume reaches a container: as a raw block device or as a mounted filesystem.
    pub enum PersistentVolumeMode: closed {
        Block = "Block",
        Filesystem = "Filesystem",
    }

    /// Stages of a persistent volume's life, from not yet usable through bound to released or failed.
    pub enum PersistentVolumePhase: closed {
        Pending = "Pending",
        Available = "Available",
        Bound = "Bound",
        Released = "Released",
        Failed = "Failed",
    }

    /// What happens to a volume once its claim is deleted: scrub it (`Recycle`, deprecated), delete it or
    /// keep it.
    pub enum PersistentVolumeReclaimPolicy: closed {
        Recycle = "Recycle",
        Delete = "Delete",
        Retain = "Retain",
    }

    /// Condition types the system itself puts on Pods, from scheduling and initialisation to resizing and
    /// disruption.
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

    /// When the ownership of a volume is changed recursively: only if its root directory differs, or at every
    /// mount.
    pub enum PodFSGroupChangePolicy: closed {
        OnRootMismatch = "OnRootMismatch",
        Always = "Always",
    }

    /// Coarse stage of a Pod's life, from waiting for a node through running to finished.
    pub enum PodPhase: closed {
        Pending = "Pending",
        Running = "Running",
        Succeeded = "Succeeded",
        Failed = "Failed",
        Unknown = "Unknown",
    }

    /// Quality-of-service classes, derived from requests and limits, which decide who is killed first under
    /// memory pressure.
    pub enum PodQOSClass: closed {
        Guaranteed = "Guaranteed",
        Burstable = "Burstable",
        BestEffort = "BestEffort",
    }

    /// State of an in-place resize of a Pod: under way, put off for now, or impossible on this node.
    pub enum PodResizeStatus {
        InProgress = "InProgress",
        Deferred = "Deferred",
        Infeasible = "Infeasible",
    }

    /// How the SELinux label gets on a Pod's volumes: relabelling every file, or a `context` mount option.
    pub enum PodSELinuxChangePolicy {
        Recursive = "Recursive",
        MountOption = "MountOption",
    }

    /// Whether a waiting Pod may push out Pods of lower priority to be scheduled.
    pub enum PreemptionPolicy: closed {
        PreemptLowerPriority = "PreemptLowerPriority",
        Never = "Never",
    }

    /// How `/proc` is mounted: with the runtime's masked and read-only paths, or without them.
    pub enum ProcMountType: closed {
        Default = "Default",
        Unmasked = "Unmasked",
    }

    /// Transport protocols for container and service ports; the API server's default is `TCP`.
    pub enum Protocol: closed {
        TCP = "TCP",
        UDP = "UDP",
        SCTP = "SCTP",
    }

    /// When the kubelet pulls an image: on every start, never, or only if it is missing on the node.
    pub enum PullPolicy: closed {
        Always = "Always",
        Never = "Never",
        IfNotPresent = "IfNotPresent",
    }

    /// Whether a read-only mount also covers the mounts nested below it.
    pub enum RecursiveReadOnlyMode {
        Disabled = "Disabled",
        IfPossible = "IfPossible",
        Enabled = "Enabled",
    }

    /// Known condition types; `ReplicaFailure` says that creating or deleting a Pod failed, e.g. for lack of
    /// quota.
    pub enum ReplicationControllerConditionType {
        ReplicaFailure = "ReplicaFailure",
    }

    /// Health grades of an allocated device.
    pub enum ResourceHealthStatus {
        Healthy = "Healthy",
        Unhealthy = "Unhealthy",
        Unknown = "Unknown",
    }

    /// Filters by which a quota counts only some objects, e.g. those with a deadline, of best effort or of
    /// certain priorities.
    pub enum ResourceQuotaScope: closed {
        Terminating = "Terminating",
        NotTerminating = "NotTerminating",
        BestEffort = "BestEffort",
        NotBestEffort = "NotBestEffort",
        PriorityClass = "PriorityClass",
        CrossNamespacePodAffinity = "CrossNamespacePodAffinity",
        VolumeAttributesClass = "VolumeAttributesClass",
    }

    /// Whether a container has to be restarted when a resource is resized in place.
    pub enum ResourceResizeRestartPolicy {
        NotRequired = "NotRequired",
        RestartContainer = "RestartContainer",
    }

    /// When the kubelet restarts an exited container: always, after failures only, or never.
    pub enum RestartPolicy: closed {
        Always = "Always",
        OnFailure = "OnFailure",
        Never = "Never",
    }

    /// How the values of a scope are compared in a quota's scope selector.
    pub enum ScopeSelectorOperator: closed {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
    }

    /// Sources of a seccomp filter: none, the container runtime's default, or a file on the node.
    pub enum SeccompProfileType: closed {
        Unconfined = "Unconfined",
        RuntimeDefault = "RuntimeDefault",
        Localhost = "Localhost",
    }

    /// Built-in Secret types, each of which but `Opaque` expects certain keys; other strings are allowed as
    /// well.
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

    /// Whether connections from one client address stick to the same endpoint.
    pub enum ServiceAffinity: closed {
        ClientIP = "ClientIP",
        None = "None",
    }

    /// Which endpoints take traffic from outside: those of the whole cluster, or the receiving node's only,
    /// keeping the client address.
    pub enum ServiceExternalTrafficPolicy: closed {
        Cluster = "Cluster",
        Local = "Local",
    }

    /// Which endpoints take traffic from inside: those of the whole cluster, or of the client's node only.
    pub enum ServiceInternalTrafficPolicy: closed {
        Cluster = "Cluster",
        Local = "Local",
    }

    /// Ways to expose a Service: cluster address, node ports, external load balancer, or a DNS alias.
    pub enum ServiceType: closed {
        ClusterIP = "ClusterIP",
        NodePort = "NodePort",
        LoadBalancer = "LoadBalancer",
        ExternalName = "ExternalName",
    }

    /// Linux signal names a container may define as its stop signal; Windows accepts `SIGTERM` and `SIGKILL`
    /// only.
    pub enum Signal: closed {
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

    /// Where an `emptyDir` lives: the node's default disk (empty string), memory, or huge pages of some size.
    pub enum StorageMedium {
        Memory = "Memory",
        HugePages = "HugePages",
    }

    /// How extra groups are determined: merged with those of the image's user, or only the ones stated in the
    /// Pod.
    pub enum SupplementalGroupsPolicy: closed {
        Merge = "Merge",
        Strict = "Strict",
    }

    /// Effects of a taint: no new Pods, new Pods only reluctantly, or also eviction of running ones.
    pub enum TaintEffect: closed {
        NoSchedule = "NoSchedule",
        PreferNoSchedule = "PreferNoSchedule",
        NoExecute = "NoExecute",
    }

    /// Where a container's final message comes from: its message file alone, or the log's end after an error.
    pub enum TerminationMessagePolicy: closed {
        File = "File",
        FallbackToLogsOnError = "FallbackToLogsOnError",
    }

    /// Comparisons between a toleration and a taint: presence, equality, or numerically less or greater.
    pub enum TolerationOperator: closed {
        Exists = "Exists",
        Equal = "Equal",
        Lt = "Lt",
        Gt = "Gt",
    }

    /// Schemes of an HTTP check or hook; the API server's default is `HTTP`.
    pub enum URIScheme: closed {
        HTTP = "HTTP",
        Https = "HTTPS",
    }

    /// What the scheduler does when a spread constraint cannot be met: leave the Pod pending or place it
    /// anyway.
    pub enum UnsatisfiableConstraintAction: closed {
        DoNotSchedule = "DoNotSchedule",
        ScheduleAnyway = "ScheduleAnyway",
    }
}
