//! The audit log of the contract. Texts are read in place, from the guest's memory.

use wasmtime::component::LinkerInstance;
use wasmtime::{Result, StoreContextMut};

use super::Host;
use crate::sandbox::lift::AuditText;

/// Defines `function`.
pub(super) fn define(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "auditrecord" => instance.func_wrap(function, record),
        _ => Ok(()),
    }
}

fn record(store: StoreContextMut<'_, Host>, (action, detail): (AuditText, AuditText)) -> Result<()> {
    let host = store.data();
    host.limiter.time_left()?;
    let (action, detail) = (action.read(&store)?, detail.read(&store)?);
    let (max_events, max_bytes) = (host.audit_events, host.audit_bytes);
    host.events.with(|events| {
        match (action, detail) {
            (Some(action), Some(detail)) if events.have_room(action.len() + detail.len(), max_events, max_bytes) => {
                let mask = |text| host.secrets.mask_while(text, || host.limiter.time_left().map(drop));
                events.add(&mask(&action)?, &mask(&detail)?, max_events, max_bytes);
            }
            _ => events.drop_one(),
        }
        Ok(())
    })
}
