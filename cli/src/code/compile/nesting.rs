//! The depth of components within components, bounded before anything else reads a component.
//!
//! The validator needs time and memory per level: it once ran for minutes on 100,000 levels.

use anyhow::{Result, ensure};
use wasmparser::{Parser, Payload};

/// The maximum depth. Toolchains nest components one level deep, and compositions a few levels.
const DEPTH_MAX: usize = 100;

/// Checks that components and core modules are nested at most [`DEPTH_MAX`] deep in the component in `bytes`.
///
/// # Errors
///
/// When they are nested deeper. The validator reports every other defect of the component.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut open = 0_usize;
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::Version { .. } => open += 1,
            Payload::End(_) => open = open.saturating_sub(1),
            _ => {}
        }
        // The outermost level does not count.
        ensure!(open <= DEPTH_MAX + 1, "its components are nested more than {DEPTH_MAX} levels deep");
    }
    Ok(())
}
