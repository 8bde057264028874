//! Enumerations of this version.

crate::open_enum! {
    /// Texts of `CauseType`.
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

    /// Texts of `ConditionStatus`.
    pub enum ConditionStatus {
        True = "True",
        False = "False",
        Unknown = "Unknown",
    }

    /// Texts of `DeletionPropagation`.
    pub enum DeletionPropagation {
        Orphan = "Orphan",
        Background = "Background",
        Foreground = "Foreground",
    }

    /// Texts of `LabelSelectorOperator`.
    pub enum LabelSelectorOperator {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
    }

    /// Texts of `ManagedFieldsOperationType`.
    pub enum ManagedFieldsOperationType {
        Apply = "Apply",
        Update = "Update",
    }

    /// Texts of `StatusReason`.
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
