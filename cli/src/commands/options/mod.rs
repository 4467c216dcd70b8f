//! Groups of options that several commands share, each declared once.

mod audit;
mod guest;
mod jobs;
mod limits;

pub(super) use audit::AuditOptions;
pub(super) use guest::{GuestOptions, RequireOptions, SettingOptions, SettingStdin, VerifyOptions};
pub(super) use jobs::JobOptions;
pub(super) use limits::LimitOptions;
