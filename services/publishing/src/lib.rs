//! Findings to Security Hub and EventBridge.
