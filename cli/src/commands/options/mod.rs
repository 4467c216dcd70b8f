//! Groups of options that several commands share, each declared once.

mod audit;
mod guest;
mod jobs;
mod limits;

pub use audit::AuditOptions;
pub use guest::{GuestOptions, RequireOptions, SettingOptions};
pub use jobs::JobOptions;
pub use limits::LimitOptions;
