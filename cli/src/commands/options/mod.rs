//! The flags that several commands share, in groups. A flag of a single command is in the file of that command.

mod audit;
mod guest;
mod jobs;
mod limits;

pub(super) use audit::AuditOptions;
pub(super) use guest::{GuestOptions, RequireOptions, SettingOptions, SettingStdin, VerifyOptions};
pub(super) use jobs::JobOptions;
pub(super) use limits::LimitOptions;
