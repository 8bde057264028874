//! Enumerations of this version.

crate::open_enum! {
    /// Machine-readable kinds of individual problems that a failure `Status` may list.
    pub enum CauseType {
        FieldValueNotFound = "FieldValueNotFound",
        FieldValueRequired = "FieldValueRequired",
        FieldValueDuplicate = "FieldValueDuplicate",
        FieldValueInvalid = "FieldValueInvalid",
        FieldValueNotSupported = "FieldValueNotSupported",
        FieldValueForbidden = "FieldValueForbidden",
        FieldValueTooLong = "FieldValueTooLong",
        FieldValueTooMany = "FieldValueTooMany",
        InternalError = "InternalError",
        FieldValueTypeInvalid = "FieldValueTypeInvalid",
        UnexpectedServerResponse = "UnexpectedServerResponse",
        FieldManagerConflict = "FieldManagerConflict",
        ResourceVersionTooLarge = "ResourceVersionTooLarge",
    }

    /// Three-valued truth of a condition: holds, does not hold, or cannot be decided.
    pub enum ConditionStatus {
        True = "True",
        False = "False",
        Unknown = "Unknown",
    }

    /// How a deletion treats dependents: leave them, remove them afterwards, or remove them before the owner.
    pub enum DeletionPropagation {
        Orphan = "Orphan",
        Background = "Background",
        Foreground = "Foreground",
    }

    /// Comparison operators available in a field selector requirement.
    pub enum FieldSelectorOperator {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
    }

    /// How much of each object a table response carries: nothing, metadata only, or everything.
    pub enum IncludeObjectPolicy {
        None = "None",
        Metadata = "Metadata",
        Object = "Object",
    }

    /// Set operators usable in a label selector term.
    pub enum LabelSelectorOperator {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
    }

    /// Operations by which a manager can come to own fields.
    pub enum ManagedFieldsOperationType {
        Apply = "Apply",
        Update = "Update",
    }

    /// How a list interprets the given resource version: as a lower bound or exactly.
    pub enum ResourceVersionMatch {
        NotOlderThan = "NotOlderThan",
        Exact = "Exact",
    }

    /// Kinds of conditions on table rows; `Completed` marks an object that has finished its work.
    pub enum RowConditionType {
        Completed = "Completed",
    }

    /// Machine-readable failure causes, each tied to an HTTP status code; the empty value means unknown.
    pub enum StatusReason {
        Unauthorized = "Unauthorized",
        Forbidden = "Forbidden",
        NotFound = "NotFound",
        AlreadyExists = "AlreadyExists",
        Conflict = "Conflict",
        Gone = "Gone",
        Invalid = "Invalid",
        ServerTimeout = "ServerTimeout",
        StorageReadError = "StorageReadError",
        Timeout = "Timeout",
        TooManyRequests = "TooManyRequests",
        BadRequest = "BadRequest",
        MethodNotAllowed = "MethodNotAllowed",
        NotAcceptable = "NotAcceptable",
        RequestEntityTooLarge = "RequestEntityTooLarge",
        UnsupportedMediaType = "UnsupportedMediaType",
        InternalError = "InternalError",
        Expired = "Expired",
        ServiceUnavailable = "ServiceUnavailable",
    }
}
